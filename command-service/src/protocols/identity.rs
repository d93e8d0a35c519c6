//! What foreign clients say about who somebody is. Every protocol comes here, and nowhere else is it decided what such a
//! message becomes: an activity of its own type.

use chassis::FieldError;

use super::members::Members;
use super::message::Draft;

/// Somebody is described: the traits are its properties.
const DESCRIBED: &str = "$identify";
/// Two names are of one person: the other one is its property `previous_id`.
const MERGED: &str = "$alias";
/// Somebody belongs to a group: `group_id`, and the group's traits.
const GROUPED: &str = "$group";
/// The other name of an alias, in its properties.
const PREVIOUS_ID: &str = "previous_id";
/// The group, in the properties.
const GROUP_ID: &str = "group_id";

/// An actor has these traits.
pub(super) fn described(draft: Draft, traits: Members<'_>) -> Draft {
    with(draft, DESCRIBED, traits)
}

/// An actor was known by another name before.
///
/// # Errors
/// A fault at `pointer` if the other name is missing.
pub(super) fn merged(
    draft: Draft,
    pointer: &str,
    previous: Option<String>,
    mut properties: Members<'_>,
) -> Result<Draft, FieldError> {
    properties.add(PREVIOUS_ID, Some(required(pointer, previous)?));
    Ok(with(draft, MERGED, properties))
}

/// An actor belongs to a group with these traits.
///
/// # Errors
/// A fault at `pointer` if the group is missing.
pub(super) fn grouped(
    draft: Draft,
    pointer: &str,
    group: Option<String>,
    mut traits: Members<'_>,
) -> Result<Draft, FieldError> {
    traits.add(GROUP_ID, Some(required(pointer, group)?));
    Ok(with(draft, GROUPED, traits))
}

fn required(pointer: &str, name: Option<String>) -> Result<String, FieldError> {
    name.ok_or_else(|| super::message::fault(pointer, "must not be empty"))
}

fn with(mut draft: Draft, activity_type: &str, properties: Members<'_>) -> Draft {
    activity_type.clone_into(&mut draft.pending.activity_type);
    draft.pending.properties = properties.into_json();
    draft
}
