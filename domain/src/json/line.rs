use std::borrow::Cow;

/// JSON on one line, for formats that are framed by lines: without the spacing between its tokens, and with escapes for what
/// some readers take for the end of a line, for a byte order mark or for a command to a terminal. No token changes
/// otherwise: a number keeps its digits, and strings mean the same.
///
/// `json` is valid JSON. Within its strings, line feed and carriage return are escaped already (RFC 8259, section 7); what
/// JSON allows as it is, and this escapes, are U+007F to U+009F (NEL and the C1 controls among them), U+2028, U+2029 and
/// U+FEFF. Costs no allocation when there is nothing to change.
#[must_use]
pub fn canonical_line(json: &str) -> Cow<'_, str> {
    let bytes = json.as_bytes();
    let mut line = String::new();
    // Up to here `line` has everything.
    let mut done = 0;
    let mut in_string = false;
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let rest = &bytes[at..];
        let (length, escape) = match (in_string, byte) {
            (false, b' ' | b'\n' | b'\r' | b'\t') => (1, Some("")),
            (_, b'"') => {
                in_string = !in_string;
                (1, None)
            }
            // Whatever is escaped ends nothing.
            (true, b'\\') => (2, None),
            (true, 0x7f | 0xc2 | 0xe2 | 0xef) => breaking(rest),
            _ => (1, None),
        };
        if let Some(escape) = escape {
            line.push_str(&json[done..at]);
            line.push_str(escape);
            if escape == CONTROL {
                // The second byte of U+0080 to U+009F is the character's own number.
                let control = if byte == 0x7f { byte } else { rest[1] };
                line.push(char::from(HEX[usize::from(control >> 4)]));
                line.push(char::from(HEX[usize::from(control & 0xf)]));
            }
            done = at + length;
        }
        at += length;
    }
    if done == 0 {
        return Cow::Borrowed(json);
    }
    line.push_str(&json[done..]);
    Cow::Owned(line)
}

/// The escape of a control character but for its last two digits.
const CONTROL: &str = "\\u00";
const HEX: &[u8; 16] = b"0123456789abcdef";

/// How many bytes the character at the beginning has, as far as that matters, and its escape if it needs one.
fn breaking(bytes: &[u8]) -> (usize, Option<&'static str>) {
    match bytes {
        [0x7f, ..] => (1, Some(CONTROL)),
        [0xc2, 0x80..=0x9f, ..] => (2, Some(CONTROL)),
        [0xe2, 0x80, 0xa8, ..] => (3, Some("\\u2028")),
        [0xe2, 0x80, 0xa9, ..] => (3, Some("\\u2029")),
        [0xef, 0xbb, 0xbf, ..] => (3, Some("\\ufeff")),
        _ => (1, None),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    #[test]
    fn spacing_goes_and_strings_and_numbers_stay() {
        for (spread, line) in [
            ("{}", "{}"),
            ("{ \"a b\" : [ 1.50 ,\n 1e2,\t-0 , true ] }\r\n", r#"{"a b":[1.50,1e2,-0,true]}"#),
            (r#" "a \" b \\" "#, r#""a \" b \\""#),
            (r#"["\n\r\t\u0000\u2028"]"#, r#"["\n\r\t\u0000\u2028"]"#),
            (
                "[\"\u{2028}é\u{2029}日\u{85}\u{9f}\u{7f}\u{feff}\u{a0}€\"]",
                "[\"\\u2028é\\u2029日\\u0085\\u009f\\u007f\\ufeff\u{a0}€\"]",
            ),
        ] {
            assert_eq!(canonical_line(spread), line);
        }
        assert!(matches!(canonical_line(r#"{"a":"b c"}"#), Cow::Borrowed(_)));
    }

    #[test]
    fn an_event_forged_within_an_event_is_no_line_of_its_own() {
        let forged = "{\"x\":\n{\"partition\":0,\"position\":1}\n,\"y\":\r[1]}";
        let line = canonical_line(forged);
        assert!(!line.contains(['\n', '\r']), "{line}");
    }

    proptest! {
        // What is found becomes a test by hand; no files are kept.
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn the_line_means_what_the_text_means_and_is_its_own_line(
            texts in proptest::collection::vec("\\PC{0,9}|[\\n\\r\"\\\\ \u{7f}\u{85}\u{2028}\u{2029}\u{feff}]{0,9}", 0..6),
        ) {
            let value = Value::from(texts);
            for text in [value.to_string(), serde_json::to_string_pretty(&value).unwrap()] {
                let line = canonical_line(&text).into_owned();
                prop_assert_eq!(&serde_json::from_str::<Value>(&line).unwrap(), &value);
                let has_break = line.contains(['\n', '\r', '\u{7f}', '\u{85}', '\u{2028}', '\u{2029}', '\u{feff}']);
                prop_assert!(!has_break);
                prop_assert_eq!(canonical_line(&line), line.as_str());
            }
        }
    }
}
