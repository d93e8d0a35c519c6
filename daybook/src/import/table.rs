use std::borrow::Cow;
use std::collections::BTreeMap;

use super::activity::Activity;
use super::fields::{Field, Fields, number, typed};
use super::time::normal;

/// The fields of an activity that a column may give.
const FIELDS: [&str; 7] = ["id", "type", "actor", "occurred_at", "value", "properties", "context"];
/// Columns that become properties have this before their name.
const PROPERTIES: &str = "properties.";
const CONTEXT: &str = "context.";
/// All columns that nothing else names.
const REST: &str = "properties.*";

/// Which column gives which field, as `--map` says it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Mapping {
    /// Column by field: `type`, `properties.plan`.
    columns: BTreeMap<String, String>,
    /// As it was written, to tell one import from another.
    text: String,
}

impl std::str::FromStr for Mapping {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut mapping = Self { columns: BTreeMap::new(), text: text.to_owned() };
        for part in text.split(',').map(str::trim).filter(|part| *part != REST) {
            let (field, column) =
                part.split_once('=').ok_or_else(|| format!("{part} is not FIELD=COLUMN"))?;
            let named = |prefix: &str| field.strip_prefix(prefix).is_some_and(|key| !key.is_empty());
            if !FIELDS.contains(&field) && !named(PROPERTIES) && !named(CONTEXT) {
                return Err(format!(
                    "{field} is no field of an activity: {}, properties.NAME or context.NAME",
                    FIELDS.join(", ")
                ));
            }
            mapping.columns.insert(field.to_owned(), column.to_owned());
        }
        Ok(mapping)
    }
}

/// What becomes of each column of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Columns(Vec<Use>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Use {
    /// A field of the activity.
    Field(&'static str),
    Property(String),
    Context(String),
}

impl Mapping {
    /// As it was written.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Applies it to the names of a table's columns. A column that has the name of a field gives it, unless another one does;
    /// every other column becomes a property.
    pub(super) fn columns(&self, header: &[String]) -> Result<Columns, String> {
        if let Some(missing) = self.columns.values().find(|column| !header.contains(column)) {
            return Err(format!("there is no column {missing}; there are {}", header.join(", ")));
        }
        let of = |name: &String| {
            let mapped =
                self.columns.iter().find(|(_, column)| *column == name).map(|(field, _)| field.as_str());
            let own = || {
                FIELDS
                    .into_iter()
                    .find(|field| field.eq_ignore_ascii_case(name))
                    .filter(|field| !self.columns.contains_key(*field))
            };
            let field = mapped.or_else(own).unwrap_or(name);
            match FIELDS.into_iter().find(|known| *known == field) {
                Some(known) if mapped.is_some() || own().is_some() => Use::Field(known),
                _ => match (field.strip_prefix(PROPERTIES), field.strip_prefix(CONTEXT)) {
                    (Some(key), _) => Use::Property(key.to_owned()),
                    (_, Some(key)) => Use::Context(key.to_owned()),
                    _ => Use::Property(name.clone()),
                },
            }
        };
        let columns = Columns(header.iter().map(of).collect());
        for needed in ["type", "actor"] {
            if !columns.0.contains(&Use::Field(needed)) {
                return Err(format!(
                    "no column gives {needed}; say which with --map {needed}=COLUMN. There are {}",
                    header.join(", ")
                ));
            }
        }
        Ok(columns)
    }
}

impl Columns {
    /// The activity of a row.
    pub(super) fn activity<'a>(&self, row: &'a csv::StringRecord) -> Result<Activity<'a>, String> {
        let mut activity = Activity::default();
        let (mut properties, mut context) = (BTreeMap::new(), BTreeMap::new());
        for (column, cell) in self.0.iter().zip(row).filter(|(_, cell)| !cell.is_empty()) {
            let text = || Some(Cow::Borrowed(cell));
            match column {
                Use::Property(key) => {
                    properties.insert(Cow::Owned(key.clone()), typed(cell));
                }
                Use::Context(key) => {
                    context.insert(Cow::Owned(key.clone()), typed(cell));
                }
                Use::Field("id") => activity.id = text(),
                Use::Field("type") => activity.activity_type = text(),
                Use::Field("actor") => activity.actor = text(),
                Use::Field("occurred_at") => activity.occurred_at = Some(normal(cell)),
                Use::Field("value") => activity.value = Some(number(cell)),
                Use::Field(field) => {
                    let into = if *field == "context" { &mut context } else { &mut properties };
                    let object = Fields::of_json(cell).map_err(|error| format!("{field}: {error}"))?;
                    into.extend(object.into_pairs());
                }
            }
        }
        activity.properties = (!properties.is_empty()).then_some(Field::Object(properties));
        activity.context = (!context.is_empty()).then_some(Field::Object(context));
        Ok(activity)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(mapping: &str, header: &[&str], row: &[&str]) -> Result<String, String> {
        let mapping: Mapping = if mapping.is_empty() { Mapping::default() } else { mapping.parse()? };
        let header: Vec<String> = header.iter().map(|name| (*name).to_owned()).collect();
        let row = csv::StringRecord::from(row.to_vec());
        mapping.columns(&header)?.activity(&row)?.into_line(|| "made".to_owned())
    }

    #[test]
    fn our_names_need_no_mapping_and_others_become_properties() {
        let made = line(
            "",
            &["Type", "actor", "plan", "properties.seats", "context.ip", "note"],
            &["order.paid", "ada", "pro", "3", "1.2.3.4", ""],
        );
        assert_eq!(
            made.unwrap(),
            r#"{"id":"made","type":"order.paid","actor":"ada","properties":{"plan":"pro","seats":3},"context":{"ip":"1.2.3.4"}}"#
        );
    }

    #[test]
    fn a_mapping_names_columns_and_leaves_their_own_names_free() {
        let header = ["event", "user_id", "time", "type", "Amount"];
        let made = line(
            "type=event,actor=user_id,occurred_at=time,value=Amount,properties.*",
            &header,
            &["paid", "7", "2026-03-01 09:30:00", "card", "12.50"],
        );
        assert_eq!(
            made.unwrap(),
            r#"{"id":"made","type":"paid","actor":"7","occurred_at":"2026-03-01T09:30:00Z","value":12.50,"properties":{"type":"card"}}"#
        );
    }

    #[test]
    fn a_mapping_that_fits_nothing_says_so() {
        for (mapping, header, said) in [
            ("type", "type,actor", "not FIELD=COLUMN"),
            ("color=a", "type,actor", "no field of an activity"),
            ("type=event", "type,actor", "no column event"),
            ("", "type,user", "no column gives actor"),
        ] {
            let header: Vec<&str> = header.split(',').collect();
            let error = line(mapping, &header, &["a", "b"]).unwrap_err();
            assert!(error.contains(said), "{error}");
        }
    }

    #[test]
    fn properties_in_one_column_are_json() {
        let header = ["type", "actor", "properties"];
        assert_eq!(
            line("", &header, &["a", "b", r#"{"n":1.10}"#]).unwrap(),
            r#"{"id":"made","type":"a","actor":"b","properties":{"n":1.10}}"#
        );
        assert!(line("", &header, &["a", "b", "plan"]).unwrap_err().contains("properties: no JSON"));
    }
}
