use std::path::Path;
use std::str::FromStr;

use sqlx::migrate::Migrator;
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Connection, Executor, PgConnection, PgPool};
use uuid::Uuid;

use crate::hot::Service;

/// What the planner knows of full tables.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Statistics {
    Absent,
    /// They were analysed before the first row came.
    OfNothing,
    /// They were analysed when there was one customer, of one partition, with few rows.
    OfFewRows,
    Fresh,
}

impl Statistics {
    pub(crate) const ALL: [Self; 4] = [Self::Absent, Self::OfNothing, Self::OfFewRows, Self::Fresh];
}

/// A database of its own, with the tables of a service.
pub(crate) struct Database {
    server: PgConnectOptions,
    name: String,
    service: Service,
    pool: PgPool,
}

/// Rows from $1 to $2: four partitions and two hundred customers, but of the first hundred rows one of each.
const ACTIVITIES: &[&str] = &[
    "INSERT INTO events (partition, position, sequence, recorded_at, event_id, customer_id, aggregate_type,
                         aggregate_id, event_type, event_version, payload, metadata)
     SELECT CASE WHEN n <= 100 THEN 0 ELSE n % 4 END, n, 1, now(), md5('event ' || n)::uuid,
            md5('customer ' || CASE WHEN n <= 100 THEN 0 ELSE n % 200 END)::uuid,
            CASE WHEN n > 100 AND n % 5000 = 3 THEN 'dead_letter' ELSE 'activity' END,
            CASE WHEN n <= 100 THEN 0 ELSE n % 200 END || ':' || n, 'ActivityRecorded', '2.0.0',
            json_build_object('type', 't', 'actor', 'a' || n % 1000), '{}'
       FROM generate_series($1, $2) n",
];

const CUSTOMERS: &[&str] = &[
    "INSERT INTO customers SELECT md5('customer ' || n)::uuid, 'c', 'UTC', now() FROM generate_series($1, $2) n",
    "INSERT INTO members SELECT md5('member ' || n)::uuid, md5('customer ' || CASE WHEN n <= 100 THEN 1 ELSE n % 200 END)::uuid,
            n || '@example.com', 'owner', now() FROM generate_series($1, $2) n",
    "INSERT INTO credentials (member_id, customer_id, email, password_hash, reserved_at)
     SELECT md5('member ' || n)::uuid, md5('customer ' || n)::uuid, n || '@example.com', 'h', now()
       FROM generate_series($1, $2) n",
    "INSERT INTO tokens (token_id, customer_id, name, prefix, sha256, scopes, created_at, maker)
     SELECT md5('token ' || n)::uuid, md5('customer ' || CASE WHEN n <= 100 THEN 1 ELSE n % 200 END)::uuid, 't', 'p',
            'sha ' || n, '{read}', now(), md5('member ' || n)::uuid FROM generate_series($1, $2) n",
    "INSERT INTO sessions (id, member_id, customer_id, created_at, expires_at)
     SELECT decode(n::text, 'escape'), md5('member ' || n / 3)::uuid, md5('customer ' || n)::uuid, now(), now()
       FROM generate_series($1, $2) n",
    "INSERT INTO token_addresses SELECT md5('token ' || n / 3)::uuid, n::text, now(), now() FROM generate_series($1, $2) n",
    "INSERT INTO log_in_attempts (key, attempts, window_end)
     SELECT decode(n::text, 'escape'), 1, now() FROM generate_series($1, $2) n",
];

/// Rows of generation 1 of the read model, of the same customers.
const REPORTS: &[&str] = &[
    "INSERT INTO actors SELECT 1, md5('actor ' || n)::uuid,
            md5('customer ' || CASE WHEN n <= 100 THEN 0 ELSE n % 200 END)::uuid, n, 'a' || n FROM generate_series($1, $2) n",
    "INSERT INTO deltas SELECT 1, md5('customer ' || CASE WHEN n <= 100 THEN 0 ELSE n % 200 END)::uuid, n, 0, 1, n, n, n, n, 'x'
       FROM generate_series($1, $2) n",
    "INSERT INTO segments
     SELECT 1, md5('customer ' || CASE WHEN n <= 100 THEN 0 ELSE n % 200 END)::uuid, n, 0, n, 1, n, n, n, n, 0, '{time}', '{t}', '{1}'
       FROM generate_series($1, $2) n",
    "INSERT INTO segment_columns SELECT 1, md5('customer ' || CASE WHEN n <= 100 THEN 0 ELSE n % 200 END)::uuid, n, 'time', 'x'
       FROM generate_series($1, $2) n",
    "INSERT INTO ends SELECT 1, md5('customer ' || CASE WHEN n <= 100 THEN 0 ELSE n % 200 END)::uuid, n, n + 1
       FROM generate_series($1, $2) n",
];
/// The tables of the read model, each of which has one for each generation.
const OF_GENERATIONS: [&str; 5] = ["actors", "deltas", "segments", "segment_columns", "ends"];

const FEW: i64 = 100;
const MANY: i64 = 50_000;

impl Database {
    /// With tables that nobody analyses behind our back.
    pub(crate) async fn empty(server: &str, service: Service) -> Self {
        let server = PgConnectOptions::from_str(server).unwrap();
        let name = format!("plans_{}", Uuid::now_v7().simple());
        let mut admin = server.connect().await.unwrap();
        admin.execute(format!("CREATE DATABASE {name}").as_str()).await.unwrap();
        let options = chassis::database::session(server.clone().database(&name), "plans");
        let pool = PgPool::connect_with(options).await.unwrap();
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../migrations").join(service.folder());
        Migrator::new(folder).await.unwrap().run(&pool).await.unwrap();
        if matches!(service, Service::Reports) {
            for table in OF_GENERATIONS {
                let child = format!("CREATE TABLE {table}_g1 PARTITION OF {table} FOR VALUES IN (1)");
                pool.execute(child.as_str()).await.unwrap();
            }
        }
        pool.execute(
            "DO $$ DECLARE one regclass; BEGIN
               FOR one IN SELECT oid FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace LOOP
                 EXECUTE format('ALTER TABLE %s SET (autovacuum_enabled = off)', one);
               END LOOP; END $$",
        )
        .await
        .unwrap();
        if !matches!(service, Service::Reports) {
            pool.execute("INSERT INTO log_head (partition) SELECT generate_series(0, 3)").await.unwrap();
            pool.execute("INSERT INTO relay_position (partition) SELECT generate_series(0, 3)")
                .await
                .unwrap();
        }
        Self { server, name, service, pool }
    }

    /// As a service connects.
    pub(crate) async fn session(&self) -> PgConnection {
        self.pool.connect_options().connect().await.unwrap()
    }

    pub(crate) async fn fill(&self, statistics: Statistics) {
        match statistics {
            Statistics::Absent => self.insert(1, MANY).await,
            Statistics::OfNothing => {
                self.analyse().await;
                self.insert(1, MANY).await;
            }
            Statistics::OfFewRows => {
                self.insert(1, FEW).await;
                self.analyse().await;
                self.insert(FEW + 1, MANY).await;
            }
            Statistics::Fresh => {
                self.insert(1, MANY).await;
                self.analyse().await;
            }
        }
    }

    async fn insert(&self, from: i64, to: i64) {
        let inserts = match self.service {
            Service::Activities => ACTIVITIES,
            Service::Customers => CUSTOMERS,
            Service::Reports => REPORTS,
        };
        for insert in inserts {
            sqlx::query(insert).bind(from).bind(to).execute(&self.pool).await.unwrap();
        }
    }

    async fn analyse(&self) {
        self.pool.execute("VACUUM ANALYZE").await.unwrap();
    }

    /// Appends events that are in the log already, if it has any, and returns how many rows of it were read for that.
    pub(crate) async fn append_again(&self, count: i64) -> i64 {
        let mut transaction = self.pool.begin().await.unwrap();
        sqlx::query(
            "SELECT append_events(ARRAY[3], ARRAY[count(*)], array_agg(3), array_agg(n - 999), array_agg(n::int),
                                  array_agg(1::bigint), array_agg(gen_random_uuid()), array_agg(gen_random_uuid()),
                                  array_agg(text 'activity'), array_agg((n * 4 + 3) % 200 || ':' || (n * 4 + 3)),
                                  array_agg(text 'ActivityRecorded'), array_agg(text '2.0.0'), array_agg(text '{}'),
                                  array_agg(text '{}'))
               FROM generate_series(1000, 1000 + $1 - 1) n",
        )
        .bind(count)
        .execute(&mut *transaction)
        .await
        .unwrap();
        let fetched = "SELECT coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0) FROM pg_stat_xact_user_tables WHERE relname = 'events'";
        let fetched = sqlx::query_scalar(fetched).fetch_one(&mut *transaction).await.unwrap();
        transaction.rollback().await.unwrap();
        fetched
    }

    pub(crate) async fn remove(self) {
        self.pool.close().await;
        let mut admin = self.server.connect().await.unwrap();
        admin.execute(format!("DROP DATABASE {} WITH (FORCE)", self.name).as_str()).await.unwrap();
        admin.close().await.unwrap();
    }
}
