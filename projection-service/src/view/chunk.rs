mod lives;

use std::hash::BuildHasher;
use std::ops::Range;
use std::sync::Arc;

use foldhash::quality::FixedState;

use super::cache::{Column, ColumnCache, Part};
use super::identities::Identities;
use super::traits::TraitColumns;
use crate::columns::{ColumnName, Dictionary, Field, Mask, Needs, Numbers, RowSet, Rows, Values};

pub(super) use lives::Wanted;

/// A segment or a delta, as listed in the manifest.
#[derive(Clone, Debug)]
pub(super) struct Chunk {
    pub(super) id: i64,
    pub(super) rows: usize,
    /// The least and the greatest position at which its rows begin.
    pub(super) positions: (i64, i64),
    /// The least and the greatest time, in microseconds since 1970.
    pub(super) times: (i64, i64),
    pub(super) kind: Kind,
}

#[derive(Clone, Debug)]
pub(super) enum Kind {
    Segment {
        /// The columns that it has.
        columns: Arc<[String]>,
        /// Of how many rows the column `ended` says that they have ended.
        ended_rows: i32,
    },
    Delta,
}

impl Chunk {
    /// The part of `ends` (sorted by position) that may belong to rows of this chunk.
    pub(super) fn ends_of<'e>(&self, ends: &'e [(i64, i64)]) -> &'e [(i64, i64)] {
        let (first, last) = self.positions;
        let start = ends.partition_point(|(position, _)| *position < first);
        let end = ends.partition_point(|(position, _)| *position <= last);
        &ends[start..end]
    }

    /// The parts that a scan needs in memory. `position` is the moment of the view; `has_ends` is whether the table of ends may
    /// have ends of its rows.
    pub(super) fn parts(&self, needs: &Needs, position: i64, has_ends: bool) -> Vec<Part> {
        let Kind::Segment { columns, ended_rows } = &self.kind else { return vec![Part::Rows] };
        let has = |name: &ColumnName| columns.iter().any(|column| *column == name.to_string());
        let mut parts = vec![Part::Column(ColumnName::Time)];
        let straddles = self.positions.1 > position;
        let optional = [
            (ColumnName::Actor, needs.actors || needs.has_traits()),
            (ColumnName::Value, needs.values),
            (ColumnName::Position, needs.order || straddles || has_ends),
            (ColumnName::FirstPosition, needs.order),
        ];
        for (name, is_needed) in optional {
            if is_needed && has(&name) {
                parts.push(Part::Column(name));
            }
        }
        if *ended_rows > 0 {
            parts.push(Part::Ended(*ended_rows));
        }
        for field in needs.fields.iter().filter(|field| !matches!(field, Field::Trait(_))) {
            let name = ColumnName::Field(field.clone());
            let found = if has(&name) { name } else { ColumnName::Rare };
            let part = Part::Column(found);
            if let Part::Column(name) = &part
                && has(name)
                && !parts.contains(&part)
            {
                parts.push(part);
            }
        }
        parts
    }
}

/// A chunk whose columns are in memory.
pub(super) struct Prepared {
    rows: usize,
    times: Arc<Column>,
    actors: Option<Arc<Column>>,
    values: Option<Arc<Column>>,
    positions: Option<Arc<Column>>,
    first_positions: Option<Arc<Column>>,
    fields: Vec<Arc<Dictionary>>,
    mask: Option<Mask>,
}

/// The inputs that prepare a chunk for a scan.
pub(super) struct Preparation<'a> {
    pub(super) cache: &'a ColumnCache,
    pub(super) needs: &'a Needs,
    /// Of every trait that is needed.
    pub(super) traits: &'a TraitColumns,
    /// The moment of the view.
    pub(super) position: i64,
    /// Ends in the table of ends that may belong to rows of the chunk, sorted by position.
    pub(super) ends: &'a [(i64, i64)],
}

impl Preparation<'_> {
    /// Prepares a chunk from columns in the cache and from `loaded`, those that were just read. None if a column is missing.
    pub(super) fn prepare(&self, chunk: &Chunk, loaded: &[(Part, Arc<Column>)]) -> Option<Prepared> {
        let parts = Parts { preparation: self, chunk, loaded };
        let numbers = |name| parts.column(name);
        let positions = parts.wants_positions().then(|| numbers(ColumnName::Position)).flatten();
        let first_positions =
            if self.needs.order { Some(parts.first_positions(positions.as_ref()?)?) } else { None };
        let fields = self.needs.fields.iter().map(|field| parts.field(field)).collect::<Option<Vec<_>>>()?;
        Some(Prepared {
            rows: chunk.rows,
            times: numbers(ColumnName::Time)?,
            actors: if self.needs.actors { Some(numbers(ColumnName::Actor)?) } else { None },
            values: if self.needs.values { Some(parts.values()?) } else { None },
            mask: parts.standing(positions.as_deref())?.0,
            positions,
            first_positions,
            fields,
        })
    }
}

/// A bit for each row that is current at the moment; none if all are.
struct StandingRows(Option<Mask>);

struct Parts<'a> {
    preparation: &'a Preparation<'a>,
    chunk: &'a Chunk,
    loaded: &'a [(Part, Arc<Column>)],
}

impl Parts<'_> {
    fn wants_positions(&self) -> bool {
        let Preparation { needs, position, ends, .. } = self.preparation;
        needs.order || self.chunk.positions.1 > *position || !ends.is_empty()
    }

    fn part(&self, part: &Part) -> Option<Arc<Column>> {
        let loaded = self.loaded.iter().find(|(other, _)| other == part);
        loaded
            .map(|(_, column)| Arc::clone(column))
            .or_else(|| self.preparation.cache.get(self.chunk.id, part))
    }

    /// A column from the cache, or built from the rows of a delta.
    fn column(&self, name: ColumnName) -> Option<Arc<Column>> {
        let part = Part::Column(name);
        if let Some(column) = self.part(&part) {
            return Some(column);
        }
        let Part::Column(name) = &part else { return None };
        let Column::Rows(rows) = &*self.part(&Part::Rows)? else { return None };
        let column = of_rows(rows, name)?;
        Some(self.preparation.cache.insert(self.chunk.id, part, column))
    }

    fn has(&self, name: &ColumnName) -> bool {
        match &self.chunk.kind {
            Kind::Delta => true,
            Kind::Segment { columns, .. } => columns.iter().any(|column| *column == name.to_string()),
        }
    }

    fn values(&self) -> Option<Arc<Column>> {
        if self.has(&ColumnName::Value) {
            return self.column(ColumnName::Value);
        }
        let numbers = vec![Values::NONE; self.chunk.rows];
        Some(Arc::new(Column::Values(Values::Scaled { scale: 0, numbers })))
    }

    fn first_positions(&self, positions: &Arc<Column>) -> Option<Arc<Column>> {
        if !self.has(&ColumnName::FirstPosition) {
            return Some(Arc::clone(positions));
        }
        let column = self.column(ColumnName::FirstPosition)?;
        let Column::Sparse(corrected) = &*column else { return Some(column) };
        let mut firsts: Vec<i64> = numbers(Some(positions)).iter().collect();
        for (row, first) in corrected {
            firsts[*row as usize] = *first;
        }
        Some(Arc::new(Column::Numbers(Numbers::of(firsts))))
    }

    /// A column of a trait, built from that of the actors.
    fn of_trait(&self, field: &Field) -> Option<Arc<Dictionary>> {
        let (_, traits) = self.preparation.traits.iter().find(|(known, _)| known == field)?;
        let part = Part::Trait(field.clone(), traits.number);
        let kept = self.preparation.cache.get(self.chunk.id, &part);
        let column = if let Some(kept) = kept {
            kept
        } else {
            let actors = self.column(ColumnName::Actor)?;
            let Column::Actors(actors) = &*actors else { return None };
            let column = Column::Dictionary(Arc::new(traits.of_rows(actors)));
            self.preparation.cache.insert(self.chunk.id, part, column)
        };
        if let Column::Dictionary(column) = &*column { Some(Arc::clone(column)) } else { None }
    }

    fn field(&self, field: &Field) -> Option<Arc<Dictionary>> {
        if let Field::Trait(_) = field {
            return self.of_trait(field);
        }
        let name = ColumnName::Field(field.clone());
        if self.has(&name) {
            let column = self.column(name)?;
            return if let Column::Dictionary(column) = &*column { Some(Arc::clone(column)) } else { None };
        }
        if !self.has(&ColumnName::Rare) {
            return Some(Arc::new(Dictionary::absent(self.chunk.rows)));
        }
        let column = self.column(ColumnName::Rare)?;
        let Column::Rare(rare) = &*column else { return None };
        Some(Arc::new(rare.dictionary(field, self.chunk.rows)))
    }

    /// The rows that are current at the moment. None if a column is missing.
    fn standing(&self, positions: Option<&Column>) -> Option<StandingRows> {
        let Preparation { position, ends, .. } = self.preparation;
        let mut mask: Option<Mask> = None;
        if self.chunk.positions.1 > *position {
            let Some(Column::Numbers(positions)) = positions else { return None };
            mask = Some(Mask::of(positions.len(), |row| positions.get(row) <= *position));
        }
        if let Kind::Segment { ended_rows, .. } = self.chunk.kind
            && ended_rows > 0
        {
            let column = self.part(&Part::Ended(ended_rows))?;
            let Column::Sparse(ended) = &*column else { return None };
            let mask = mask.get_or_insert_with(|| Mask::full(self.chunk.rows));
            ended
                .iter()
                .filter(|(_, ended)| ended <= position)
                .for_each(|(row, _)| mask.clear(*row as usize));
        }
        if !ends.is_empty() {
            let Some(Column::Numbers(positions)) = positions else { return None };
            let found = self.ended_rows(positions);
            let mask = mask.get_or_insert_with(|| Mask::full(self.chunk.rows));
            found
                .iter()
                .filter(|(_, ended)| ended <= position)
                .for_each(|(row, _)| mask.clear(*row as usize));
        }
        Some(StandingRows(mask.filter(|mask| !mask.is_full())))
    }

    /// The rows of the chunk that have an end in the table of ends. The result is cached by what the ends are and not by how
    /// many there are: some belong to rows of other chunks between the same positions, and go when those are merged.
    fn ended_rows(&self, positions: &Numbers) -> Vec<(u32, i64)> {
        let ends = self.preparation.ends;
        let part = Part::EndedElsewhere(ends.len(), FixedState::default().hash_one(ends));
        if let Some(kept) = self.preparation.cache.get(self.chunk.id, &part)
            && let Column::Sparse(rows) = &*kept
        {
            return rows.clone();
        }
        let ended = |position: i64| ends.binary_search_by_key(&position, |(position, _)| *position).ok();
        let found: Vec<(u32, i64)> = positions
            .iter()
            .zip(0..)
            .filter_map(|(position, row)| Some((row, ends[ended(position)?].1)))
            .collect();
        self.preparation.cache.insert(self.chunk.id, part, Column::Sparse(found.clone()));
        found
    }
}

/// A column of a delta.
fn of_rows(rows: &RowSet, name: &ColumnName) -> Option<Column> {
    let numbers = |number: fn(&crate::columns::Row) -> i64| {
        Column::Numbers(Numbers::of(rows.rows().iter().map(number).collect()))
    };
    Some(match name {
        ColumnName::Time => numbers(|row| row.time),
        ColumnName::Position => numbers(|row| row.position),
        ColumnName::FirstPosition => numbers(|row| row.first_position),
        ColumnName::Actor => Column::Actors(rows.rows().iter().map(|row| row.actor).collect()),
        ColumnName::Value => Column::Values(rows.values()),
        ColumnName::Field(field) => Column::Dictionary(Arc::new(rows.dictionary(field))),
        ColumnName::Ended | ColumnName::Rare => return None,
    })
}

fn numbers(column: Option<&Arc<Column>>) -> &Numbers {
    match column.map(|column| &**column) {
        Some(Column::Numbers(numbers)) => numbers,
        _ => Numbers::EMPTY,
    }
}

impl Prepared {
    /// Its rows in a window of time; none if there are none. With identities the actors are those that the rows' own stand
    /// for, in a column that is written into `translated`.
    pub(super) fn rows<'r>(
        &'r self,
        window: &Range<i64>,
        identities: Option<&Identities>,
        translated: &'r mut Vec<u32>,
    ) -> Option<Rows<'r>> {
        let times = numbers(Some(&self.times));
        let start = times.lower_bound(0..times.len(), window.start);
        let end = times.lower_bound(start..times.len(), window.end);
        if start == end {
            return None;
        }
        let actors = match (self.actors.as_deref(), identities) {
            (Some(Column::Actors(actors)), None) => actors.as_slice(),
            (Some(Column::Actors(actors)), Some(identities)) => {
                identities.translate(actors, translated);
                translated
            }
            _ => &[],
        };
        let values = match self.values.as_deref() {
            Some(Column::Values(values)) => Some(values),
            _ => None,
        };
        debug_assert_eq!(times.len(), self.rows, "every column has all rows");
        Some(Rows {
            range: start..end,
            mask: self.mask.as_ref(),
            times,
            actors,
            values,
            positions: numbers(self.positions.as_ref()),
            first_positions: numbers(self.first_positions.as_ref()),
            fields: &self.fields,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_of_other_chunks_that_go_hide_no_end_of_this_one() {
        let chunk = Chunk {
            id: 1,
            rows: 2,
            positions: (10, 30),
            times: (0, 1),
            kind: Kind::Segment { columns: Arc::new([]), ended_rows: 0 },
        };
        let (cache, needs) = (ColumnCache::new(1 << 20), Needs::default());
        let ended = |ends: &[(i64, i64)]| {
            let preparation =
                Preparation { cache: &cache, needs: &needs, traits: &Vec::new(), position: i64::MAX, ends };
            Parts { preparation: &preparation, chunk: &chunk, loaded: &[] }
                .ended_rows(&Numbers::of(vec![30, 10]))
        };
        assert_eq!(ended(&[(20, 40)]), [], "a row of another chunk");
        assert_eq!(ended(&[(10, 41)]), [(1, 41)]);
        assert_eq!(ended(&[(20, 40)]), []);
    }
}
