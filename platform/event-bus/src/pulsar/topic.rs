use domain::Partitions;
use http::{Method, StatusCode};
use pulsar::{Pulsar, TokioExecutor};
use serde::Deserialize;

use super::PulsarConfig;
use super::admin::Admin;
use crate::{BusError, Feed};

/// A topic, and how it must be.
#[derive(Clone, Debug)]
pub(crate) struct Topic {
    pub(crate) feed: Feed,
    pub(crate) partitions: Partitions,
}

#[derive(Deserialize)]
struct Metadata {
    partitions: u32,
}

impl Topic {
    /// `persistent://tenant/namespace/name`.
    pub(crate) fn name(&self, config: &PulsarConfig) -> String {
        format!("persistent://{}/{}/{}", config.tenant, config.namespace, self.feed.topic())
    }

    /// Makes sure that the topic is there with the log's partitions.
    ///
    /// # Errors
    /// [`BusError::Refused`] for a topic with another number of partitions, and for one that is not there and cannot be
    /// made.
    pub(crate) async fn ensure(
        &self,
        config: &PulsarConfig,
        client: &Pulsar<TokioExecutor>,
    ) -> Result<(), BusError> {
        let name = self.name(config);
        let Some(url) = &config.admin_url else {
            let there = Box::pin(client.lookup_partitioned_topic_number(&name)).await;
            return match there.map_err(|error| BusError::Broker(error.to_string()))? {
                0 => Err(BusError::Refused(format!(
                    "there is no partitioned topic {name}: set DAYBOOK_PULSAR_ADMIN_URL, so that it can be made, or make \
                     it with {} partitions",
                    self.partitions.count()
                ))),
                count => self.agree(&name, count),
            };
        };
        let admin = Admin { config, url };
        match self.count(&admin).await? {
            Some(count) => self.agree(&name, count),
            None => self.create(&admin, &name).await,
        }
    }

    fn agree(&self, name: &str, count: u32) -> Result<(), BusError> {
        let wanted = u32::from(self.partitions.count());
        if count == wanted {
            return Ok(());
        }
        Err(BusError::Refused(format!(
            "the topic {name} has {count} partitions and the log has {wanted}; they must be the same. Use another \
             namespace (DAYBOOK_PULSAR_NAMESPACE), or remove the topic: the log fills it again"
        )))
    }

    fn path(&self, config: &PulsarConfig) -> String {
        format!("/admin/v2/persistent/{}/{}/{}", config.tenant, config.namespace, self.feed.topic())
    }

    /// How many partitions the topic has, if it is there.
    async fn count(&self, admin: &Admin<'_>) -> Result<Option<u32>, BusError> {
        let path = format!("{}/partitions?checkAllowAutoCreation=false", self.path(admin.config));
        let answer = admin.ask(Method::GET, &path, None).await?;
        match answer.status {
            StatusCode::OK => {
                let metadata: Metadata = serde_json::from_slice(&answer.body)
                    .map_err(|error| BusError::Broker(error.to_string()))?;
                Ok(Some(metadata.partitions).filter(|count| *count > 0))
            }
            StatusCode::NOT_FOUND => Ok(None),
            _ => Err(unexpected("looking for the topic", &answer.words())),
        }
    }

    async fn create(&self, admin: &Admin<'_>, name: &str) -> Result<(), BusError> {
        self.create_namespace(admin).await?;
        let path = format!("{}/partitions", self.path(admin.config));
        let answer = admin.ask(Method::PUT, &path, Some(self.partitions.count().to_string())).await?;
        match answer.status {
            // Another process may have been faster.
            status if status.is_success() || status == StatusCode::CONFLICT => {}
            _ => return Err(unexpected("making the topic", &answer.words())),
        }
        match self.count(admin).await? {
            Some(count) => self.agree(name, count)?,
            None => {
                return Err(BusError::Refused(format!(
                    "{name} is there, and is no partitioned topic; remove it, or use another namespace \
                     (DAYBOOK_PULSAR_NAMESPACE)"
                )));
            }
        }
        tracing::info!(topic = name, partitions = self.partitions.count(), "made the topic");
        self.retain(admin).await;
        Ok(())
    }

    async fn create_namespace(&self, admin: &Admin<'_>) -> Result<(), BusError> {
        let PulsarConfig { tenant, namespace, .. } = admin.config;
        let path = format!("/admin/v2/namespaces/{tenant}/{namespace}");
        if admin.ask(Method::GET, &path, None).await?.status == StatusCode::OK {
            return Ok(());
        }
        let clusters = admin.ask(Method::GET, "/admin/v2/clusters", None).await?;
        let clusters: Vec<String> = serde_json::from_slice(&clusters.body).unwrap_or_default();
        let body = serde_json::json!({ "adminRoles": [], "allowedClusters": clusters }).to_string();
        for (what, path, body) in [
            ("making the tenant", format!("/admin/v2/tenants/{tenant}"), Some(body)),
            ("making the namespace", path, None),
        ] {
            let answer = admin.ask(Method::PUT, &path, body).await?;
            if !answer.status.is_success() && answer.status != StatusCode::CONFLICT {
                return Err(unexpected(what, &answer.words()));
            }
        }
        Ok(())
    }

    /// Makes the broker keep what has been acknowledged for a while; the log keeps it for ever. A broker whose topics
    /// have no policies of their own goes by its namespace's.
    async fn retain(&self, admin: &Admin<'_>) {
        let minutes = u64::from(admin.config.retention_h) * 60;
        let body =
            serde_json::json!({ "retentionTimeInMinutes": minutes, "retentionSizeInMB": -1 }).to_string();
        let path = format!("{}/retention", self.path(admin.config));
        let refused = match admin.ask(Method::POST, &path, Some(body)).await {
            Ok(answer) if answer.status.is_success() => return,
            Ok(answer) => answer.words(),
            Err(error) => error.to_string(),
        };
        tracing::warn!(refused, "the topic's retention is its namespace's");
    }
}

fn unexpected(what: &str, answer: &str) -> BusError {
    BusError::Broker(format!("{what}: its administration answered {answer}"))
}
