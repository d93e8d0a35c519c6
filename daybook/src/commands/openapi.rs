use crate::documents;
use crate::failure::Failure;
use crate::output::print;

/// Prints the document, with a line's end after it.
pub(crate) fn run() -> Result<(), Failure> {
    let document = documents::merged()?;
    let text = document
        .to_pretty_json()
        .map_err(|error| Failure::Failed(format!("the document cannot be written as JSON: {error}")))?;
    print(text)
}
