//! Named values: fields of tasks, attributes of resources and operations.
use std::collections::HashMap;

use console_api::field::{Name, Value};
use console_api::{Attribute, Field, RegisterMetadata};

use crate::decode::text;

/// Callsites whose names of fields are kept.
const MAX_CALLSITES: usize = 1 << 12;
/// Fields of one callsite, of one task, attributes of one resource.
pub(super) const MAX_FIELDS: usize = 64;
/// Bytes of a field's name that is kept: nobody asks for a longer one.
const MAX_NAME: usize = 64;

/// Names of fields, which may be sent once and be numbers from then on.
#[derive(Debug, Default)]
pub(super) struct FieldNames(HashMap<u64, Vec<String>>);

impl FieldNames {
    pub(super) fn learn(&mut self, metadata: RegisterMetadata) {
        for new in metadata.metadata {
            let (Some(id), Some(metadata)) = (new.id, new.metadata) else { continue };
            if self.0.len() < MAX_CALLSITES || self.0.contains_key(&id.id) {
                let short = |name: String| if name.len() <= MAX_NAME { name } else { String::new() };
                self.0.insert(id.id, metadata.field_names.into_iter().take(MAX_FIELDS).map(short).collect());
            }
        }
    }

    /// How many callsites are known.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    fn name<'a>(&'a self, field: &'a Field) -> Option<&'a str> {
        match field.name.as_ref()? {
            Name::StrName(name) => Some(name),
            Name::NameIdx(at) => {
                let names = self.0.get(&field.metadata_id.as_ref()?.id)?;
                names.get(usize::try_from(*at).ok()?).map(String::as_str)
            }
        }
    }

    /// The value of the first field of that name.
    pub(super) fn find<'a>(&self, fields: &'a [Field], name: &str) -> Option<&'a Value> {
        let named = fields.iter().take(MAX_FIELDS).find(|field| self.name(field) == Some(name));
        named.and_then(|field| field.value.as_ref())
    }

    /// The value of the first attribute of that name.
    pub(super) fn attribute<'a>(&self, attributes: &'a [Attribute], name: &str) -> Option<&'a Value> {
        let fields = attributes.iter().take(MAX_FIELDS).filter_map(|attribute| attribute.field.as_ref());
        fields.into_iter().find(|field| self.name(field) == Some(name)).and_then(|field| field.value.as_ref())
    }
}

/// A number that is not negative.
pub(super) fn number(value: &Value) -> Option<u64> {
    match value {
        Value::U64Val(n) => Some(*n),
        Value::I64Val(n) => Some(u64::try_from(*n).unwrap_or(0)),
        _ => None,
    }
}

/// Yes or no.
pub(super) fn truth(value: &Value) -> Option<bool> {
    match value {
        Value::BoolVal(truth) => Some(*truth),
        _ => None,
    }
}

/// Words, cleaned.
pub(super) fn words(value: &Value) -> Option<String> {
    match value {
        Value::StrVal(words) | Value::DebugVal(words) => Some(text::clean(words).into_owned()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use console_api::register_metadata::NewMetadata;
    use console_api::{MetaId, Metadata};

    use super::*;

    #[test]
    fn names_of_fields_take_no_more_than_short_ones_of_so_many_callsites() {
        let mut names = FieldNames::default();
        let long = "x".repeat(10_000);
        for id in 0..MAX_CALLSITES as u64 + 10 {
            let field_names = [long.clone(), "task.id".to_owned()].into_iter().cycle().take(MAX_FIELDS + 2).collect();
            let metadata = Some(Metadata { field_names, ..Metadata::default() });
            names.learn(RegisterMetadata { metadata: vec![NewMetadata { id: Some(MetaId { id }), metadata }] });
        }
        assert_eq!(names.len(), MAX_CALLSITES);
        assert!(names.0.values().all(|of| of.len() == MAX_FIELDS && of.iter().all(|name| name.len() <= MAX_NAME)));
        // Those beside a long one keep their numbers.
        let name = Some(Name::NameIdx(1));
        let field = Field { name, value: Some(Value::U64Val(7)), metadata_id: Some(MetaId { id: 5 }) };
        assert_eq!(names.find(&[field], "task.id").and_then(number), Some(7));
    }
}
