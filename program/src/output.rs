//! What a program prints, for people and for pipes.

use std::io::{self, Write as _};

/// Writes a line to standard output. A reader that has seen enough (`| head`) is no error.
///
/// # Errors
/// When standard output can't be written for another reason, as on a full disk.
pub fn line(text: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    match stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.write_all(b"\n"))
        .and_then(|()| stdout.flush())
    {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => result,
    }
}

/// Writes a line to standard error, where there is somebody to read it.
pub fn note(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}
