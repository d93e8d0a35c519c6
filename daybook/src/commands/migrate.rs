use sqlx::PgPool;
use sqlx::migrate::Migrator;

use crate::failure::Failure;
use crate::output::print;
use crate::system::{Database, System, SystemArguments};
use crate::telemetry::{self, Verbosity};

/// The arguments of the command.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  daybook migrate\n  daybook migrate --data-dir /srv/daybook\n  \
    DAYBOOK_REPORTS_DATABASE_URL=postgres://… daybook migrate")]
pub(crate) struct Arguments {
    #[command(flatten)]
    system: SystemArguments,
}

pub(crate) async fn run(arguments: Arguments) -> Result<(), Failure> {
    telemetry::start(Verbosity::Command)?;
    System::during(&arguments.system, migrate).await
}

async fn migrate(system: &System) -> Result<(), Failure> {
    for database in Database::ALL.into_iter().filter(|database| system.url(*database).is_some()) {
        let name = database.name();
        let pool = system.connect(database, 1).await?;
        let before = applied(&pool).await;
        let failed =
            |error| Failure::Failed(format!("the database of {name} cannot be brought up to date: {error}"));
        chassis::database::migrate(migrator(database), &pool).await.map_err(failed)?;
        match applied(&pool).await - before {
            0 => print(format_args!("{name:<12} up to date"))?,
            1 => print(format_args!("{name:<12} 1 migration applied"))?,
            many => print(format_args!("{name:<12} {many} migrations applied"))?,
        }
        pool.close().await;
    }
    Ok(())
}

fn migrator(database: Database) -> &'static Migrator {
    match database {
        Database::Activities => &command_service::MIGRATOR,
        Database::Customers => &customers::MIGRATOR,
        Database::Reports => &projection_service::MIGRATOR,
    }
}

/// How many migrations a database has seen; a new one has no table of them.
async fn applied(pool: &PgPool) -> i64 {
    sqlx::query_scalar("SELECT count(*) FROM _sqlx_migrations").fetch_one(pool).await.unwrap_or(0)
}
