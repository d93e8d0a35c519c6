use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use super::super::by_actor::TAG_END;
use crate::columns::{Dictionary, Scalar};

/// Types of activities, each with a number that is the same in every chunk.
#[derive(Debug, Default)]
pub(super) struct Types {
    codes: Mutex<HashMap<Box<str>, u32>>,
}

/// Stands for every type beyond the first half a million; the report leaves it out.
const OTHER: u32 = TAG_END / 2 - 1;

impl Types {
    /// The number of a type, a new one if it is not known.
    pub(super) fn code(&self, name: &str) -> u32 {
        let mut codes = self.codes.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(code) = codes.get(name) {
            return *code;
        }
        let code = codes.len() as u32;
        if code >= OTHER {
            return OTHER;
        }
        codes.insert(name.into(), code);
        code
    }

    /// The numbers of a chunk's own codes.
    pub(super) fn codes(&self, column: &Dictionary) -> Vec<u32> {
        let code = |value: &Scalar| match value {
            Scalar::Text(name) => self.code(name),
            _ => OTHER,
        };
        column.values.iter().map(code).collect()
    }

    /// The types by their numbers.
    pub(super) fn names(&self) -> HashMap<u32, String> {
        let codes = self.codes.lock().unwrap_or_else(PoisonError::into_inner);
        codes.iter().map(|(name, code)| (*code, name.to_string())).collect()
    }
}
