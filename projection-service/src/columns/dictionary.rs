use super::Scalar;

/// A column of values, each row a code of the chunk's own dictionary.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Dictionary {
    /// One for each row: the index of its value.
    pub(crate) codes: Vec<u16>,
    /// Every value that occurs, once; [`Scalar::Absent`] too if some row has none.
    pub(crate) values: Vec<Scalar>,
}

impl Dictionary {
    /// A column in which no row has a value.
    pub(crate) fn absent(rows: usize) -> Self {
        Self { codes: vec![0; rows], values: vec![Scalar::Absent] }
    }

    /// The value of a row.
    #[cfg(test)]
    pub(crate) fn value(&self, row: usize) -> &Scalar {
        &self.values[usize::from(self.codes[row])]
    }

    /// Bytes in memory.
    pub(crate) fn bytes(&self) -> usize {
        size_of_val(self.codes.as_slice()) + self.values.iter().map(Scalar::bytes).sum::<usize>()
    }
}
