//! A short soak (`kubeplex-soak`): a minute of faults, after which the process holds no more than before. `cargo xtask soak`
//! runs it for longer.

use std::process::Command;

#[test]
fn a_minute_of_faults_leaves_nothing_behind() {
    let soak = Command::new(env!("CARGO_BIN_EXE_kubeplex-soak")).args(["--minutes", "1"]).output();
    let soak = soak.expect("the soak runs");
    let told = format!("{}{}", String::from_utf8_lossy(&soak.stdout), String::from_utf8_lossy(&soak.stderr));
    println!("{told}");
    assert!(soak.status.success(), "{told}");
}
