//! Tokens of callers, from the program that makes them.

use kubeplex_cli::client::Token;
use kubeplex_tests::program;
use kubeplex_tests::server::text;
use serde_json::Value;

/// A token, and the section with which a gateway knows it.
#[derive(Clone)]
pub(crate) struct Made {
    pub(crate) token: String,
    pub(crate) section: String,
}

impl Made {
    /// As a client shows it.
    pub(crate) fn shown(&self) -> Token {
        Token::new(&self.token).expect("a token")
    }
}

/// For somebody who sees what `reach` says, in the words of `kubeplex token create`.
pub(crate) async fn make(user: &str, reach: &[&str]) -> Made {
    let arguments: Vec<_> =
        ["token", "create", "--json", "--user", user].iter().chain(reach).copied().collect();
    let output = program::run("kubeplex", &arguments, "").await;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let made: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let (token, section) = (text(&made["token"]), text(&made["caller"]));
    assert!(!token.is_empty() && !section.contains(&token), "a section holds a hash alone");
    Made { token, section }
}
