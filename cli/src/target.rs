//! From the command line and the environment to a client of the gateway that they name.

use std::path::Path;

use anyhow::Context as _;

use crate::arguments::Target;
use crate::client::{Access, Client, Token};

/// A token in the arguments of a program is there for everybody to see; in its environment it is not.
const TOKEN: &str = "KUBEPLEX_TOKEN";

impl Target {
    /// # Errors
    /// When a file can't be read, or holds something else.
    pub fn client(self) -> anyhow::Result<Client> {
        let token = match &self.token_file {
            Some(file) => Some(from_file(file)?),
            None => from_environment()?,
        };
        Ok(Client::with(self.at.endpoint, Access { token, ca_file: self.ca_file })?)
    }
}

fn from_file(file: &Path) -> anyhow::Result<Token> {
    let text = std::fs::read_to_string(file)
        .with_context(|| format!("--token-file: {} can't be read", file.display()))?;
    Token::new(&text).with_context(|| format!("--token-file: {}", file.display()))
}

/// An empty one is none.
fn from_environment() -> anyhow::Result<Option<Token>> {
    let text = std::env::var(TOKEN).unwrap_or_default();
    if text.trim().is_empty() {
        return Ok(None);
    }
    Token::new(&text).context(TOKEN).map(Some)
}
