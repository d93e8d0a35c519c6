//! Passwords that an attacker tries first.
//!
//! `common-passwords/list.txt` is the list of Django 5.2 (`django/contrib/auth/common-passwords.txt.gz`, BSD-3-Clause,
//! whose licence is beside it): the most frequent passwords of public leaks, here without the lines that are not
//! printable ASCII. Few of them have twelve characters, so that a password is also refused when one of them is all
//! that remains of it without the digits and signs around it, or when it follows a simple rule that every guesser
//! knows. An estimator such as zxcvbn would cost more than a megabyte of code and dictionaries and time that grows with
//! the square of the length, to answer a question of degree; a refusal needs a reason that a person understands.

use std::collections::HashSet;
use std::sync::LazyLock;

static LIST: LazyLock<HashSet<&'static str>> =
    LazyLock::new(|| include_str!("../../common-passwords/list.txt").lines().collect());

/// Fewer different characters than this are a pattern.
const DISTINCT_CHARS_MIN: usize = 5;
/// Rows of keys and the alphabet, whose parts make easy passwords.
const RUNS: [&str; 7] = [
    "0123456789",
    "abcdefghijklmnopqrstuvwxyz",
    "qwertyuiopasdfghjklzxcvbnm",
    "qwertzuiopasdfghjklyxcvbnm",
    "azertyuiopqsdfghjklmwxcvbn",
    "1234567890qwertyuiop",
    "1q2w3e4r5t6y7u8i9o0p",
];

/// Returns why a password is too easy to guess, if it is. `known` is what an attacker knows of its owner.
pub(crate) fn fault(password: &str, known: &[&str]) -> Option<&'static str> {
    let lower = password.to_lowercase();
    let core = lower.trim_matches(|c: char| !c.is_alphabetic());
    if LIST.contains(lower.as_str()) || LIST.contains(core) {
        return Some("is one of the common passwords, or one of them with digits and signs around it");
    }
    let distinct: HashSet<char> = lower.chars().collect();
    if distinct.len() < DISTINCT_CHARS_MIN || is_repeated(&lower) {
        return Some("repeats itself too much to be hard to guess");
    }
    if is_run(&lower) || is_run(core) {
        return Some("is a run along the keyboard or the alphabet");
    }
    let owner =
        known.iter().map(|word| word.to_lowercase()).any(|word| word == lower || is_all_of(core, &word));
    (owner || is_all_of(core, "daybook")).then_some("is made of what is known about its owner")
}

/// A unit of at most half of the characters, again and again.
fn is_repeated(text: &str) -> bool {
    let chars: Vec<char> = text.chars().collect();
    (1..=chars.len() / 2).any(|unit| chars.iter().zip(chars.iter().skip(unit)).all(|(one, next)| one == next))
}

fn is_run(text: &str) -> bool {
    let long_enough = text.chars().count() >= 6;
    let backwards: String = text.chars().rev().collect();
    long_enough && RUNS.iter().any(|run| run.repeat(12).contains(text) || run.repeat(12).contains(&backwards))
}

/// Whether nothing but the word is there, once or more often.
fn is_all_of(core: &str, word: &str) -> bool {
    let word: String = word.chars().filter(|c| c.is_alphabetic()).collect();
    let letters: String = core.chars().filter(|c| c.is_alphabetic()).collect();
    !word.is_empty() && !letters.is_empty() && letters.replace(&word, "").is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_everybody_guesses_is_refused() {
        for password in [
            "q1w2e3r4t5y6",
            "Qwertyqwerty",
            "password1234",
            "Password2026!",
            "!!sunshine!!2026",
            "aaaaaaaaaaaa",
            "abcabcabcabc",
            "123456789012",
            "098765432109",
            "qwertyuiopas",
            "zyxwvutsrqponm",
            "1q2w3e4r5t6y7u",
            "daybookdaybook1",
            "ada.lovelace@example.com",
            "AdaLovelace2026",
        ] {
            let known = ["ada.lovelace@example.com", "ada.lovelace"];
            assert!(fault(password, &known).is_some(), "{password}");
        }
    }

    #[test]
    fn what_is_hard_to_guess_is_not_refused() {
        for password in [
            "correct horse battery",
            "twelve chars",
            "7fK-29xq-Lm0p",
            "ein Pferd frisst Gras",
            "ключ от сейфа 9",
        ] {
            assert_eq!(fault(password, &["ada@example.com", "ada", "Ledger & Co"]), None, "{password}");
        }
    }
}
