//! What authenticates whoever dials, and where it comes from.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use http::HeaderValue;

/// A secret that the other end knows the hash of.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(HeaderValue);

/// Where the token comes from that is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credential {
    Token(Token),
    /// Read again whenever somebody dials, so that a file's new token is shown without a restart.
    File(TokenFile),
}

/// A file with a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenFile {
    path: PathBuf,
    /// When the file was named: one with another token in it is another credential.
    named_with: Token,
}

/// A token that can't be sent in a header.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the token is empty or holds characters that can't be in a header; letters, digits and punctuation are wanted"
)]
pub struct InvalidToken;

/// Why a file gives no token. What stands in it is not said.
#[derive(Debug, thiserror::Error)]
pub enum TokenFileError {
    #[error("\"{path}\" can't be read")]
    Unreadable { path: PathBuf, source: io::Error },
    #[error("\"{path}\" holds none")]
    Invalid { path: PathBuf, source: InvalidToken },
}

impl Token {
    /// # Errors
    /// [`InvalidToken`] for an empty text, and for one with characters other than visible ASCII.
    pub fn new(secret: &str) -> Result<Self, InvalidToken> {
        let secret = secret.trim();
        if secret.is_empty() || !secret.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(InvalidToken);
        }
        let mut value = HeaderValue::try_from(format!("Bearer {secret}")).map_err(|_| InvalidToken)?;
        value.set_sensitive(true);
        Ok(Self(value))
    }

    /// For the header that carries it.
    pub(crate) fn header(&self) -> HeaderValue {
        self.0.clone()
    }
}

impl Credential {
    /// The token in a file, whichever it is when it is shown.
    ///
    /// # Errors
    /// [`TokenFileError`] when there is none now.
    pub fn in_file(path: &Path) -> Result<Self, TokenFileError> {
        Ok(Self::File(TokenFile { path: path.to_owned(), named_with: read(path)? }))
    }

    /// The token to show now. A small file: reading it holds nobody up.
    pub(crate) fn token(&self) -> Result<Token, TokenFileError> {
        match self {
            Self::Token(token) => Ok(token.clone()),
            Self::File(file) => read(&file.path),
        }
    }
}

impl From<Token> for Credential {
    fn from(token: Token) -> Self {
        Self::Token(token)
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

fn read(path: &Path) -> Result<Token, TokenFileError> {
    let path = || path.to_owned();
    let text = std::fs::read_to_string(path());
    let text = text.map_err(|source| TokenFileError::Unreadable { path: path(), source })?;
    Token::new(&text).map_err(|source| TokenFileError::Invalid { path: path(), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_must_fit_into_a_header() {
        for text in ["", "  ", "two words", "line\nbreak", "ключ"] {
            assert!(Token::new(text).is_err(), "{text:?}");
        }
        assert!(Token::new(" a-token\n").is_ok(), "a file's trailing newline is not part of it");
    }

    #[test]
    fn a_file_is_read_again_each_time() {
        let path = std::env::temp_dir().join(format!("kubeplex-token-{}", std::process::id()));
        let put = |text: &str| std::fs::write(&path, text).unwrap();
        put("one\n");
        let credential = Credential::in_file(&path).unwrap();
        assert_eq!(credential.token().unwrap(), Token::new("one").unwrap());
        put("two\n");
        assert_eq!(credential.token().unwrap(), Token::new("two").unwrap());
        assert_ne!(Credential::in_file(&path).unwrap(), credential, "named with another token");
        put(" ");
        let told = crate::reason(&credential.token().unwrap_err());
        assert!(told.contains("holds none") && told.contains("empty"), "{told}");
        std::fs::remove_file(&path).unwrap();
        assert!(matches!(credential.token(), Err(TokenFileError::Unreadable { .. })));
        assert!(Credential::in_file(&path).is_err());
        assert!(!format!("{credential:?}").contains("one"));
    }
}
