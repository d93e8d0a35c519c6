use unicode_normalization::is_nfc;

/// The longest type, in characters.
pub const TYPE_CHARS_MAX: usize = 200;

/// Checks a type: 1 to 200 characters, in Unicode's normal form C, no control characters, no white space at either end.
///
/// # Errors
/// The broken rule, as a phrase for the client.
pub fn check_type(text: &str) -> Result<(), &'static str> {
    // Most types are printable ASCII, and cost one look at each byte.
    let is_printable = |byte: &u8| (b' '..=b'~').contains(byte);
    if (1..=TYPE_CHARS_MAX).contains(&text.len())
        && text.as_bytes().iter().all(is_printable)
        && !text.starts_with(' ')
        && !text.ends_with(' ')
    {
        return Ok(());
    }
    if text.is_empty() {
        return Err("must not be empty");
    }
    // Bytes bound characters, so the count is only taken when it can matter.
    if text.len() > TYPE_CHARS_MAX && text.chars().count() > TYPE_CHARS_MAX {
        return Err("must have at most 200 characters");
    }
    if text.chars().any(char::is_control) {
        return Err("must not contain control characters");
    }
    if text.starts_with(char::is_whitespace) || text.ends_with(char::is_whitespace) {
        return Err("must not begin or end with white space");
    }
    // Two texts that look the same would be two types.
    if !is_nfc(text) {
        return Err("must be in Unicode's normal form C (NFC)");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_broken_rule_is_named() {
        for (text, rule) in [
            ("", "empty"),
            (&"購".repeat(201), "200 characters"),
            ("a\u{0}b", "control"),
            ("a\u{85}", "control"),
            (" a", "white space"),
            ("a ", "white space"),
            ("\u{3000}購入", "white space"),
            ("購入\u{a0}", "white space"),
            ("cafe\u{301}", "normal form C"),
        ] {
            assert!(check_type(text).unwrap_err().contains(rule), "{text:?}");
        }
    }

    #[test]
    fn names_as_people_write_them_pass() {
        for text in ["Order Completed", "$pageview", "購入", "café", "a", "\"=1+1,\"", &"購".repeat(200)]
        {
            assert_eq!(check_type(text), Ok(()), "{text}");
        }
    }
}
