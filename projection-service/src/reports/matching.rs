use super::filter::{Filter, Predicate};
use crate::columns::{Mask, Needs, Rows};
use crate::error::ReportsError;
use crate::view::View;

/// Chooses the rows that pass a filter of a report's own, as a step of a funnel is.
#[derive(Debug)]
pub(crate) struct Matching(Predicate);

impl Matching {
    /// Replaces the names of actors by their ordinals.
    ///
    /// # Errors
    /// As [`View::scan`].
    pub(crate) async fn resolve(filter: &Filter, view: &View) -> Result<Self, ReportsError> {
        Ok(Self(filter.resolve(view).await?))
    }

    /// Adds the columns that are read.
    pub(crate) fn add_needs(&mut self, needs: &mut Needs) {
        self.0.add_needs(needs);
    }

    /// The rows that count and pass; none if all that count do.
    pub(crate) fn mask(&self, rows: &Rows<'_>) -> Option<Mask> {
        let mut mask = self.0.mask(rows)?;
        if let Some(counting) = rows.mask {
            mask.and(counting);
        }
        Some(mask)
    }

    /// Calls `see` with the rows that count and pass.
    pub(crate) fn each(&self, rows: &Rows<'_>, see: impl FnOnce(&Rows<'_>)) {
        match self.mask(rows) {
            None => see(rows),
            Some(mask) => see(&Rows { mask: Some(&mask), ..rows.clone() }),
        }
    }
}

#[cfg(test)]
impl Matching {
    /// As [`Self::resolve`], where no condition is about actors.
    pub(crate) fn new(filter: &Filter) -> Self {
        Self(filter.without_actors())
    }
}
