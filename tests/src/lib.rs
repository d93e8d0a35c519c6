//! The tests of the whole stack are in `stack/`; this crate has nothing else.
