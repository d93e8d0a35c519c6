use std::fmt::Display;
use std::io::{self, Write as _};

use crate::failure::Failure;

/// Prints a command's result and the end of its line. Whoever has stopped reading has seen enough.
///
/// # Errors
/// If standard output cannot be written, for another reason than that.
pub(crate) fn print(text: impl Display) -> Result<(), Failure> {
    let mut output = io::stdout();
    match writeln!(output, "{text}").and_then(|()| output.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::io("cannot write to standard output")(error))
        }
        _ => Ok(()),
    }
}
