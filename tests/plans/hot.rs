//! The statements that run most often, and the index columns by which each must find its rows.

/// Whose database it is; the folder below `migrations`.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Service {
    Activities,
    Customers,
    Reports,
}

impl Service {
    pub(crate) const fn folder(self) -> &'static str {
        match self {
            Self::Activities => "activities",
            Self::Customers => "customers",
            Self::Reports => "reports",
        }
    }
}

/// A table that a statement looks into, and the columns by which its index must be searched.
pub(crate) type Keyed = (&'static str, &'static [&'static str]);

/// A statement of a `.sqlx` folder.
pub(crate) struct Hot {
    /// The folder of its crate.
    pub(crate) krate: &'static str,
    /// What no other statement of the crate contains, spaces and line ends aside.
    pub(crate) contains: &'static str,
    /// Its arguments, as SQL.
    pub(crate) arguments: &'static str,
    /// By what it finds its rows; each table must be in its plan.
    pub(crate) keyed: &'static [Keyed],
}

const STORE: &str = "platform/event-store";
const BUS: &str = "platform/event-bus";
const PEOPLE: &str = "customers";
const READ: &str = "projection-service";

const STREAM: &[&str] = &["partition", "aggregate_type", "aggregate_id"];
const EVENT_OF_STREAM: &[&str] = &["partition", "aggregate_type", "aggregate_id", "sequence"];
const PLACE: &[&str] = &["partition", "position"];

/// Of the log of activities, which is also that of customers.
pub(crate) const ACTIVITIES: &[Hot] = &[
    Hot {
        krate: STORE,
        contains: "s.aggregate_id = i.aggregate_id AND s.sequence = 1",
        arguments: "3, 'activity', string_to_array(repeat('7:4242,', 999) || '7:4203', ',')",
        keyed: &[("events", EVENT_OF_STREAM)],
    },
    Hot {
        krate: STORE,
        contains: "metadata: _\" FROM events WHERE partition = $1 AND aggregate_type = $2 AND aggregate_id = $3 ORDER BY sequence",
        arguments: "3, 'activity', '7:4242'",
        keyed: &[("events", STREAM)],
    },
    Hot {
        krate: STORE,
        contains: "AND sequence > $4 AND sequence <= $5 ORDER BY sequence LIMIT $6",
        arguments: "3, 'activity', '7:4242', 0, 100, 50",
        keyed: &[("events", EVENT_OF_STREAM)],
    },
    Hot {
        krate: STORE,
        contains: "AND sequence <= $4 ORDER BY sequence DESC LIMIT 1",
        arguments: "3, 'activity', '7:4242', 100",
        keyed: &[("events", EVENT_OF_STREAM)],
    },
    Hot {
        krate: STORE,
        contains: "SELECT sequence FROM events WHERE partition = $1 AND aggregate_type = $2 AND aggregate_id = $3",
        arguments: "3, 'activity', '7:4242'",
        keyed: &[("events", STREAM)],
    },
    Hot {
        krate: STORE,
        contains: "(customer_id, position) > ($2, $3) AND (customer_id, position) <= ($2, $4)",
        arguments: "3, md5('customer 7')::uuid, 12000, 40000, 1000",
        keyed: &[("events", &["partition", "customer_id"])],
    },
    Hot {
        krate: STORE,
        contains: "FROM events WHERE partition = $1 AND position > $2 AND position <= $3 ORDER BY position LIMIT $4",
        arguments: "3, 12000, 40000, 1000",
        keyed: &[("events", PLACE)],
    },
    Hot {
        krate: STORE,
        contains: "FROM events WHERE partition = $1 AND position > $2 ORDER BY position LIMIT $3",
        arguments: "3, 12000, 1000",
        keyed: &[("events", PLACE)],
    },
    Hot {
        krate: STORE,
        contains: "event_id, recorded_at FROM events WHERE partition = $1 AND position = $2",
        arguments: "3, 12000",
        keyed: &[("events", PLACE)],
    },
    Hot {
        krate: STORE,
        contains: "s.partition = p.partition AND s.position = p.position LIMIT 1",
        arguments: "ARRAY[0, 3], ARRAY[12000, 13000]",
        keyed: &[("events", PLACE)],
    },
    Hot {
        krate: STORE,
        contains: "AND sequence = $4 AND event_id = $5",
        arguments: "3, 'activity', '7:4242', 1, md5('event 4242')::uuid",
        keyed: &[("events", EVENT_OF_STREAM)],
    },
    Hot {
        krate: STORE,
        contains: "FROM events WHERE partition = $1 AND aggregate_type = $2 ORDER BY position",
        arguments: "3, 'dead_letter'",
        keyed: &[("events", &["partition", "aggregate_type"])],
    },
    Hot {
        krate: BUS,
        contains: "UPDATE relay_position r SET position = m.position",
        arguments: "ARRAY[0, 3], ARRAY[12000, 13000]",
        keyed: &[("events", PLACE)],
    },
];

/// Of the tables beside the log of customers.
pub(crate) const CUSTOMERS: &[Hot] = &[
    Hot {
        krate: PEOPLE,
        contains: "WHERE t.sha256 = $1",
        arguments: "'sha 4242'",
        keyed: &[("tokens", &["sha256"]), ("customers", &["customer_id"]), ("members", &["member_id"])],
    },
    Hot {
        krate: PEOPLE,
        contains: "FROM sessions s JOIN members m USING (member_id) JOIN customers c",
        arguments: "decode('4242', 'escape'), now(), now()",
        keyed: &[("sessions", &["id"]), ("members", &["member_id"]), ("customers", &["customer_id"])],
    },
    Hot {
        krate: PEOPLE,
        contains: "FROM credentials c JOIN members m USING (member_id) WHERE c.email = ANY ($1)",
        arguments: "ARRAY['4242@example.com', '4243@example.com'], '4242@example.com'",
        keyed: &[("credentials", &["email"]), ("members", &["member_id"])],
    },
    Hot {
        krate: PEOPLE,
        contains: "FROM log_in_attempts WHERE key = ANY ($1) AND window_end > $2",
        arguments: "ARRAY[decode('1', 'escape'), decode('2', 'escape')], now()",
        keyed: &[("log_in_attempts", &["key"])],
    },
    Hot {
        krate: PEOPLE,
        contains: "FROM members WHERE customer_id = $1 AND ($2::uuid IS NULL OR member_id > $2) ORDER BY member_id LIMIT $3",
        arguments: "md5('customer 77')::uuid, md5('member 4242')::uuid, 100",
        keyed: &[("members", &["customer_id"])],
    },
    Hot {
        krate: PEOPLE,
        contains: "WHERE t.customer_id = $1 AND ($2::uuid IS NULL OR t.token_id < $2",
        arguments: "md5('customer 77')::uuid, md5('token 4242')::uuid, 100",
        keyed: &[("tokens", &["customer_id"])],
    },
    Hot {
        krate: PEOPLE,
        contains: "session_id = $4 AS \"current!\" FROM sessions WHERE member_id = $1",
        arguments: "md5('member 4242')::uuid, now(), now(), md5('session 4242')::uuid",
        keyed: &[("sessions", &["member_id"])],
    },
    Hot {
        krate: PEOPLE,
        contains: "UPDATE sessions SET expires_at = $2, last_used_at = $3 WHERE id = $1",
        arguments: "decode('4242', 'escape'), now(), now()",
        keyed: &[("sessions", &["id"])],
    },
    Hot {
        krate: PEOPLE,
        contains: "WHERE t.customer_id = $1 AND t.maker IS NOT NULL",
        arguments: "md5('customer 77')::uuid",
        keyed: &[("tokens", &["customer_id"])],
    },
    Hot {
        krate: PEOPLE,
        contains: "FROM token_addresses WHERE token_id = $1 ORDER BY last_used_at DESC",
        arguments: "md5('token 4242')::uuid",
        keyed: &[("token_addresses", &["token_id"])],
    },
];

/// Rows of one customer, by the part of the key that follows the generation.
const OF_CUSTOMER: &[&str] = &["customer_id"];

/// Of the read model: what every fold and every query asks. Each table is that of generation 1.
pub(crate) const REPORTS: &[Hot] = &[
    Hot {
        krate: READ,
        contains: "FROM actors WHERE generation = $1 AND key = k.key LIMIT 1",
        arguments: "1, string_to_array(repeat(md5('actor 4242') || ',', 999) || md5('actor 4243'), ',')::uuid[]",
        keyed: &[("actors_g1", &["key"])],
    },
    Hot {
        krate: READ,
        contains: "FROM actors WHERE generation = $1 AND key = ANY ($2)",
        arguments: "1, ARRAY[md5('actor 4242')::uuid]",
        keyed: &[("actors_g1", &["key"])],
    },
    Hot {
        krate: READ,
        contains: "FROM actors WHERE generation = $1 AND customer_id = $2 AND ordinal = k.ordinal LIMIT 1",
        arguments: "1, md5('customer 7')::uuid, '{4207,4407}'",
        keyed: &[("actors_g1", &["customer_id", "ordinal"])],
    },
    Hot {
        krate: READ,
        contains: "DELETE FROM deltas WHERE generation = $1 AND customer_id = $2 AND level <= $3",
        arguments: "1, md5('customer 7')::uuid, 2::smallint",
        keyed: &[("deltas_g1", OF_CUSTOMER)],
    },
    Hot {
        krate: READ,
        contains: "last_time FROM deltas WHERE generation = $1 AND customer_id = $2",
        arguments: "1, md5('customer 7')::uuid",
        keyed: &[("deltas_g1", OF_CUSTOMER)],
    },
    Hot {
        krate: READ,
        contains: "SELECT id, content FROM deltas WHERE generation = $1 AND customer_id = $2 AND id = ANY ($3)",
        arguments: "1, md5('customer 7')::uuid, '{4207,4407}'",
        keyed: &[("deltas_g1", OF_CUSTOMER)],
    },
    Hot {
        krate: READ,
        contains: "ended_rows, columns FROM segments WHERE generation = $1 AND customer_id = $2",
        arguments: "1, md5('customer 7')::uuid",
        keyed: &[("segments_g1", OF_CUSTOMER)],
    },
    Hot {
        krate: READ,
        contains: "SELECT content FROM segment_columns WHERE generation = $1 AND customer_id = $2 AND segment = k.segment",
        arguments: "1, md5('customer 7')::uuid, '{4207,4407}', '{time,time}'",
        keyed: &[("segment_columns_g1", &["customer_id", "segment"])],
    },
    Hot {
        krate: READ,
        contains: "SELECT position, ended FROM ends WHERE generation = $1 AND customer_id = $2",
        arguments: "1, md5('customer 7')::uuid, 1, 50000",
        keyed: &[("ends_g1", OF_CUSTOMER)],
    },
];
