//! What is wrong with a message.
use async_inspect_proto::BadTable;
use thiserror::Error;

/// A message that cannot be what a probe meant. Nothing of it is used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum DecodeError {
    /// A table's columns are not of one length.
    #[error("{table}: its columns have different lengths")]
    Columns {
        /// The table's name on the wire.
        table: &'static str,
    },
    /// More rows than a message of legal length has.
    #[error("{table}: {rows} rows in one message")]
    Rows {
        /// The table's name on the wire.
        table: &'static str,
        /// How many.
        rows: usize,
    },
    /// A string that was never sent.
    #[error("string {id} was never sent")]
    String {
        /// Its id.
        id: u32,
    },
    /// A site that was never sent.
    #[error("site {id} was never sent")]
    Site {
        /// Its id.
        id: u32,
    },
    /// A value that the protocol does not have.
    #[error("{field}: {value} is no value of this protocol version")]
    Value {
        /// The field's name on the wire.
        field: &'static str,
        /// The value.
        value: i64,
    },
    /// The id 0, which is none.
    #[error("{table}: a row has no id")]
    NoId {
        /// The table's name on the wire.
        table: &'static str,
    },
    /// Something without which the rest makes no sense.
    #[error("{field} is missing, or out of range")]
    Missing {
        /// The field's name on the wire.
        field: &'static str,
    },
    /// More of something than any program has.
    #[error("more than {limit} {what}")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// The limit.
        limit: usize,
    },
}

impl DecodeError {
    pub(super) fn of_table(bad: BadTable) -> Self {
        match bad {
            BadTable::Columns { table } => Self::Columns { table },
            BadTable::Rows { table, rows } => Self::Rows { table, rows },
        }
    }
}
