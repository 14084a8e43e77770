//! The program as a process: exit codes, and what goes to which stream. (That there is a test here also makes cargo build
//! the program, which the suite over the whole runs.)

use std::process::{Command, Output};

fn kubeplex(arguments: &[&str]) -> Output {
    let program =
        Command::new(env!("CARGO_BIN_EXE_kubeplex")).env_remove("KUBEPLEX_ENDPOINT").args(arguments).output();
    program.expect("the program runs")
}

fn error_of(arguments: &[&str], code: i32) -> String {
    let output = kubeplex(arguments);
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {output:?}");
    assert!(output.stdout.is_empty(), "{arguments:?} prints a result: {output:?}");
    String::from_utf8(output.stderr).expect("text")
}

#[test]
fn mistakes_are_told_with_what_would_be_right() {
    // Port 9 of this machine is nobody's: the discard service is long gone.
    let nowhere = ["call", "--endpoint", "http://127.0.0.1:9/mcp", "pods_list"];
    assert!(error_of(&nowhere, 1).contains("start one with `kubeplex demo`"));
    assert!(error_of(&["call", "pods_list", "[1]"], 2).contains("a JSON object is wanted"));
    assert!(error_of(&["local", "--kubeconfig", "/no/such/file"], 1).contains("/no/such/file"));
    assert!(error_of(&["demo", "--pods", "1"], 2).contains("20"), "the smallest number is named");
    assert!(error_of(&["demo", "--listen", "0.0.0.0:7575"], 2).contains("write 127.0.0.1:7575"));
}

#[test]
fn help_and_version_are_results() {
    for arguments in [["--help"], ["--version"]] {
        let output = kubeplex(&arguments);
        assert!(output.status.success() && !output.stdout.is_empty(), "{output:?}");
    }
}
