use std::borrow::Cow;

use percent_encoding::percent_decode_str;

/// Decodes one name or value of a query string, in which `+` is a space.
///
/// # Errors
/// What is wrong with it, to follow its name.
pub(super) fn decode_form(sent: &str) -> Result<Cow<'_, str>, &'static str> {
    if !sent.contains('+') {
        return decode(sent);
    }
    decode(&sent.replace('+', " ")).map(|text| Cow::Owned(text.into_owned()))
}

/// Decodes what is percent-encoded.
fn decode(sent: &str) -> Result<Cow<'_, str>, &'static str> {
    let well_escaped = sent
        .split('%')
        .skip(1)
        .all(|rest| rest.len() >= 2 && rest.bytes().take(2).all(|digit| digit.is_ascii_hexdigit()));
    if !well_escaped {
        return Err("has a % that is not followed by two hexadecimal digits; write %25 for a %");
    }
    let text = percent_decode_str(sent).decode_utf8().map_err(|_| "is not UTF-8")?;
    without_control_characters(&text)?;
    Ok(text)
}

/// A NUL cannot be stored or compared by PostgreSQL, and no name or id of ours has any other control character either.
///
/// # Errors
/// What is wrong with it, to follow its name.
pub(super) fn without_control_characters(text: &str) -> Result<(), &'static str> {
    without_nul(text)?;
    if text.chars().any(char::is_control) { Err("contains a control character") } else { Ok(()) }
}

/// # Errors
/// What is wrong with it, to follow its name.
pub(super) fn without_nul(text: &str) -> Result<(), &'static str> {
    if text.contains('\0') { Err("contains a NUL character") } else { Ok(()) }
}
