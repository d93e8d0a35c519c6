use std::fmt::Display;
use std::io::{self, Write as _};

use crate::failure::Failure;

/// Prints a command's result and the end of its line. A reader that has closed the pipe has seen enough.
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

/// What clients send must not move the cursor of a terminal, end a line, or turn the writing direction round.
pub(crate) fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() || is_unseen(c) { '·' } else { c }).collect()
}

/// Whether a character shows nothing of itself and changes what is around it: separators of lines and paragraphs, marks of
/// byte order, of direction and of joining, and tags.
pub(crate) fn is_unseen(c: char) -> bool {
    matches!(
        c,
        '\u{ad}'
            | '\u{61c}'
            | '\u{180e}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}'
    )
}
