//! Events for programs outside: CloudEvents 1.0 in structured JSON, with the words of CDEvents where it has some.
//!
//! ```text
//! finding opened      ->  type dev.indelible.finding.opened          data: the event of the record
//! deploy of a new one ->  type dev.cdevents.service.upgraded.0.2.0   data: a CDEvent 0.4.1
//! ```
//! Source: CloudEvents 1.0.2, JSON format; CDEvents 0.4.1, continuous deployment events and their CloudEvents binding.

use ::record::claim::{Claim, DeployClaim, DeployKind, FindingChange, FindingClaim};
use ::record::{Event, EventError};
use serde_json::{Value, json};

/// Source: CloudEvents 1.0.2, JSON format, 3.
pub(super) const CONTENT_TYPE: &str = "application/cloudevents+json";
const SPEC_VERSION: &str = "1.0";
const CDEVENTS_VERSION: &str = "0.4.1";

/// The event for others; none: nobody outside is told of such.
pub(super) fn cloud_event(event: &Event) -> Result<Option<Value>, EventError> {
    match &event.claim {
        Claim::Finding(claim) => finding(event, claim).map(Some),
        Claim::Deploy(claim) => Ok(Some(deploy(event, claim))),
        Claim::TagChange(_)
        | Claim::Image(_)
        | Claim::Build(_)
        | Claim::Allow(_)
        | Claim::Block(_)
        | Claim::Hold(_)
        | Claim::Reservation(_)
        | Claim::Rule(_)
        | Claim::Unlock(_)
        | Claim::Token(_)
        | Claim::Note(_)
        | Claim::Imported(_)
        | Claim::ContainerRun(_)
        | Claim::Watched(_) => Ok(None),
    }
}

fn finding(event: &Event, claim: &FindingClaim) -> Result<Value, EventError> {
    let word = match &claim.change {
        FindingChange::Opened(_) => "opened",
        FindingChange::Closed { .. } => "closed",
    };
    // As the record keeps it: its hash can be taken of the canonical form again.
    let data: Value = serde_json::from_slice(&event.to_bytes()?)?;
    let place: Vec<&str> = [&claim.namespace, &claim.workload, &claim.container]
        .into_iter()
        .flatten()
        .map(::record::claim::Reported::as_str)
        .collect();
    let subject = match place.is_empty() {
        true => claim.what.to_string(),
        false => format!("{} {}", claim.what, place.join("/")),
    };
    Ok(json!({
        "specversion": SPEC_VERSION,
        "id": event.stamp.id,
        "source": format!("/indelible/clusters/{}", escaped(claim.cluster.as_str())),
        "type": format!("dev.indelible.finding.{word}"),
        "subject": subject,
        "time": event.stamp.at,
        "datacontenttype": "application/json",
        "data": data,
    }))
}

fn deploy(event: &Event, claim: &DeployClaim) -> Value {
    let predicate = match (&claim.how, claim.from) {
        (DeployKind::Rollback { .. }, _) => "rolledback",
        (_, None) => "deployed",
        (_, Some(_)) => "upgraded",
    };
    let of = format!("dev.cdevents.service.{predicate}.0.2.0");
    let source = format!("/indelible/environments/{}", claim.environment);
    let service = claim.image.to_string();
    // Source: package-url, type oci: the name is the last part of the repository's path.
    let name = claim.repository.path().as_str().rsplit('/').next().unwrap_or_default().to_owned();
    let artifact = format!(
        "pkg:oci/{}@{}?repository_url={}",
        escaped(&name),
        escaped(&claim.to.to_string()),
        escaped(&claim.repository.to_string())
    );
    let data = json!({
        "context": {
            "version": CDEVENTS_VERSION,
            "id": event.stamp.id,
            "source": source,
            "type": of,
            "timestamp": event.stamp.at,
        },
        "subject": {
            "id": service,
            "source": source,
            "type": "service",
            "content": {
                "environment": {"id": claim.environment, "source": source},
                "artifactId": artifact,
            },
        },
    });
    json!({
        "specversion": SPEC_VERSION,
        "id": event.stamp.id,
        "source": source,
        "type": of,
        "subject": service,
        "time": event.stamp.at,
        "datacontenttype": "application/json",
        "data": data,
    })
}

/// Source: RFC 3986, 2.3: everything but unreserved characters is escaped.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                out.push(char::from(byte));
            }
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use ::record::claim::NamedBy;
    use ::record::fuzz::story::Story;

    fn last(story: &Story) -> (Event, Value) {
        let event = story.events().last().unwrap().event.clone();
        let told = cloud_event(&event).unwrap().unwrap();
        (event, told)
    }

    #[test]
    fn a_finding_is_a_cloud_event_with_the_event_of_the_record_in_it() {
        let mut story = Story::new();
        let at = story.next_time();
        story.finding_opens("api", 1, at);
        let (event, told) = last(&story);
        assert_eq!(told["specversion"], "1.0");
        assert_eq!(told["type"], "dev.indelible.finding.opened");
        assert_eq!(told["id"], event.stamp.id.to_string());
        assert_eq!(told["source"], "/indelible/clusters/cluster-1");
        assert_eq!(told["subject"], "two-builds shop/deployment/api/api");
        assert_eq!(
            told["data"],
            serde_json::from_slice::<Value>(&event.to_bytes().unwrap()).unwrap()
        );
        story.finding_closes("api", 1, at);
        assert_eq!(last(&story).1["type"], "dev.indelible.finding.closed");
    }

    /// The members and types of `conformance/service_deployed.json` of CDEvents 0.4, read by a person.
    #[test]
    fn a_deploy_is_a_cd_event_of_a_service() {
        let mut story = Story::new();
        let digest = story.build("api", "a", "prod");
        story.deploy("api", "prod", digest, DeployKind::Deploy, NamedBy::Rule);
        let (event, told) = last(&story);
        assert_eq!(told["type"], "dev.cdevents.service.deployed.0.2.0");
        let context = &told["data"]["context"];
        assert_eq!((&context["type"], &context["id"]), (&told["type"], &told["id"]));
        assert_eq!(context["timestamp"], event.stamp.at.to_string());
        let subject = &told["data"]["subject"];
        assert_eq!((&subject["id"], &subject["type"]), (&json!("api"), &json!("service")));
        let content = &subject["content"];
        assert_eq!(content["environment"]["id"], "prod");
        let expected = format!(
            "pkg:oci/api@sha256%3A{}?repository_url=registry.example.com%2Fshop%2Fapi",
            digest.hex()
        );
        assert_eq!(content["artifactId"], expected);
        let back = DeployKind::Rollback { condemns: digest, returns_to: None };
        story.deploy("api", "prod", digest, back, NamedBy::Rule);
        assert_eq!(last(&story).1["type"], "dev.cdevents.service.rolledback.0.2.0");
    }

    #[test]
    fn of_other_events_nobody_outside_is_told() {
        let mut story = Story::new();
        story.build("api", "a", "prod");
        assert_eq!(cloud_event(&story.events()[0].event).unwrap(), None);
    }
}
