use chassis::{ConfigError, DescribedKey, Env, KeyDefault};

use crate::failure::Failure;
use crate::output::print;

/// Characters of a line of a comment in `.env.example`.
const LINE_CHARS: usize = 120;

/// Of which service; without one, the tables of docs/operations.md.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Print the .env.example of this service
    #[arg(value_name = "SERVICE")]
    service: Option<String>,
}

/// A service, as people know it and as its code reads its configuration.
struct Service {
    name: &'static str,
    title: &'static str,
    keys: Vec<DescribedKey>,
}

/// `cargo xtask keys` writes what this prints into the files that have it.
pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let services = services()?;
    let Some(name) = &arguments.service else { return print(tables(&services)) };
    let service = services.iter().find(|service| service.name == name);
    let service = service.ok_or_else(|| Failure::Usage(format!("there is no service {name}")))?;
    print(example(service))
}

fn services() -> Result<[Service; 4], ConfigError> {
    let service = |name, title, keys: Result<_, ConfigError>| {
        Ok::<_, ConfigError>(Service { name, title, keys: keys? })
    };
    Ok([
        service(
            "activities",
            "Activities, the write side,",
            Env::describe(command_service::Config::from_env),
        )?,
        service("customers", "Customers,", Env::describe(customers::Config::from_env))?,
        service("reports", "Reports,", Env::describe(projection_service::Config::from_env))?,
        service("gateway", "The gateway,", Env::describe(gateway::Config::from_env))?,
    ])
}

/// Every key with its default, or commented out with an example; its copy works beside `daybook postgres`.
fn example(service: &Service) -> String {
    let Service { name, title, keys } = service;
    let head = format!(
        "{title} as `daybook serve {name}` reads it. Copy to `.env`; every value here is the default unless said. Made by \
         `cargo xtask keys` from the code."
    );
    let mut text = comment(&head);
    for key in keys {
        let DescribedKey { name, about, default } = key;
        let (about, line) = match default {
            KeyDefault::Value(value) => (about.to_string(), format!("{name}={value}")),
            KeyDefault::Required(example) => {
                let place = if example.starts_with("postgres:") {
                    " This one is on the server that `daybook postgres` runs."
                } else {
                    ""
                };
                (format!("{about} No default.{place}"), format!("{name}={example}"))
            }
            KeyDefault::Words(words, example) => {
                (format!("{about} Without it: {words}."), format!("#{name}={example}"))
            }
        };
        text = format!("{text}\n{}{line}\n", comment(&about));
    }
    text.trim_end().to_owned()
}

fn comment(text: &str) -> String {
    let mut lines = vec![String::from("#")];
    for word in text.split_whitespace() {
        let is_full = lines.last().is_some_and(|line| {
            line.len() > 1 && line.chars().count() + 1 + word.chars().count() > LINE_CHARS
        });
        if is_full {
            lines.push(String::from("#"));
        }
        if let Some(line) = lines.last_mut() {
            line.push(' ');
            line.push_str(word);
        }
    }
    lines.join("\n") + "\n"
}

/// A table for each set of services that read the same keys, those that the most read first.
fn tables(services: &[Service]) -> String {
    let mut groups: Vec<(Vec<&str>, Vec<&DescribedKey>)> = Vec::new();
    for key in services.iter().flat_map(|service| &service.keys) {
        let readers = services.iter().filter(|service| service.keys.contains(key));
        let readers: Vec<&str> = readers.map(|service| service.name).collect();
        match groups.iter_mut().find(|(names, _)| *names == readers) {
            Some((_, keys)) if keys.contains(&key) => {}
            Some((_, keys)) => keys.push(key),
            None => groups.push((readers, vec![key])),
        }
    }
    groups.sort_by_key(|(names, _)| std::cmp::Reverse(names.len()));
    let tables = groups.iter().map(|(names, keys)| {
        let rows = keys.iter().map(|key| row(key)).collect::<String>();
        format!("| {} | default | |\n|---|---|---|\n{rows}", listed(names))
    });
    tables.collect::<Vec<_>>().join("\n").trim_end().to_owned()
}

fn row(key: &DescribedKey) -> String {
    let default = match &key.default {
        KeyDefault::Value(value) if value.is_empty() => "empty".to_owned(),
        KeyDefault::Value(value) => format!("`{value}`"),
        KeyDefault::Required(_) => "none".to_owned(),
        KeyDefault::Words(words, _) => (*words).to_owned(),
    };
    format!("| `{}` | {default} | {} |\n", key.name, key.about)
}

fn listed(names: &[&str]) -> String {
    match names {
        [one] => (*one).to_owned(),
        [before @ .., last] => format!("{} and {last}", before.join(", ")),
        [] => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_example_says_is_read_by_its_service() {
        for service in services().unwrap() {
            let example = example(&service);
            let lines =
                example.lines().filter(|line| line.starts_with("DAYBOOK_") || line.starts_with("#DAYBOOK_"));
            assert_eq!(lines.count(), service.keys.len(), "{example}");
            assert!(example.lines().all(|line| line.chars().count() <= LINE_CHARS), "{example}");
        }
    }

    #[test]
    fn a_key_stands_in_one_table() {
        let tables = tables(&services().unwrap());
        assert_eq!(tables.matches("| `DAYBOOK_INTERNAL_KEY` |").count(), 1, "{tables}");
        assert_eq!(tables.matches("| `DAYBOOK_TOKEN_CACHE_TTL_S` |").count(), 1, "{tables}");
        assert!(tables.starts_with("| activities, customers, reports and gateway | default | |"), "{tables}");
    }
}
