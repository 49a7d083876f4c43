//! Lists and referrers. Expected values: OCI distribution-spec 1.1 and research/registry.md §2.3.

use crate::client::{Reply, Server};
use crate::images::{IMAGE, digest, image, push, push_blob, put};

fn next(reply: &Reply) -> Option<String> {
    let link = reply.header("link")?;
    Some(link.strip_prefix('<')?.split_once(">; rel=\"next\"")?.0.to_owned())
}

fn strings(value: &serde_json::Value) -> Vec<String> {
    value.as_array().unwrap().iter().map(|item| item.as_str().unwrap().to_owned()).collect()
}

#[test]
fn tags_come_in_byte_order_page_by_page() {
    let server = Server::start();
    let manifest = image(&server, "a", "x");
    for tag in ["b", "a", "C", "10", "2"] {
        assert_eq!(put(&server, "a", tag, &manifest).status, 201);
    }
    let all = server.get("/v2/a/tags/list");
    assert_eq!(all.json()["name"], "a");
    assert_eq!(strings(&all.json()["tags"]), ["10", "2", "C", "a", "b"]);
    assert_eq!(next(&all), None);
    let mut seen = Vec::new();
    let mut target = Some("/v2/a/tags/list?n=2".to_owned());
    while let Some(page) = target.map(|target| server.get(&target)) {
        seen.push(strings(&page.json()["tags"]));
        target = next(&page);
    }
    assert_eq!(seen, [vec!["10", "2"], vec!["C", "a"], vec!["b"]]);
    assert_eq!(strings(&server.get("/v2/a/tags/list?last=C").json()["tags"]), ["a", "b"]);
    let none = server.get("/v2/a/tags/list?n=0");
    assert_eq!((none.status, strings(&none.json()["tags"]).len(), next(&none)), (200, 0, None));
    assert_eq!(server.get("/v2/a/tags/list?n=x").code(), "PAGINATION_NUMBER_INVALID");
    let unknown = server.get("/v2/b/tags/list");
    assert_eq!((unknown.status, unknown.code().as_str()), (404, "NAME_UNKNOWN"));
}

#[test]
fn a_page_has_1000_tags_and_not_1001() {
    let server = Server::start();
    let manifest = image(&server, "a", "x");
    let named = digest(&manifest);
    let tags: Vec<String> = (0..1_001).map(|at| format!("tag=t{at:04}")).collect();
    for group in tags.chunks(46) {
        let target = format!("/v2/a/manifests/{named}?{}", group.join("&"));
        let asking = server.ask("PUT", &target).header("Content-Type", IMAGE);
        assert_eq!(asking.body(&manifest).send().status, 201);
    }
    for target in ["/v2/a/tags/list", "/v2/a/tags/list?n=1000", "/v2/a/tags/list?n=5000"] {
        let page = server.get(target);
        assert_eq!(strings(&page.json()["tags"]).len(), 1_000, "{target}");
        let last = server.get(&next(&page).unwrap());
        assert_eq!(strings(&last.json()["tags"]), ["t1000"]);
    }
}

#[test]
fn repositories_are_listed_page_by_page() {
    let server = Server::start();
    for repository in ["shop/web", "shop/api", "a"] {
        push(&server, repository, "1", "x");
    }
    let all = server.get("/v2/_catalog");
    assert_eq!(strings(&all.json()["repositories"]), ["a", "shop/api", "shop/web"]);
    let page = server.get("/v2/_catalog?n=2");
    assert_eq!(strings(&page.json()["repositories"]), ["a", "shop/api"]);
    let rest = server.get(&next(&page).unwrap());
    assert_eq!(strings(&rest.json()["repositories"]), ["shop/web"]);
    assert_eq!(next(&rest), None);
}

/// A manifest of that type, attached to that digest.
fn attached(config: &str, subject: &str, kind: &str) -> String {
    format!(
        r#"{{"schemaVersion":2,"mediaType":"{IMAGE}","artifactType":"{kind}","config":{{"mediaType":"application/vnd.oci.empty.v1+json","digest":"{config}","size":2}},"layers":[],"subject":{{"mediaType":"{IMAGE}","digest":"{subject}","size":7}},"annotations":{{"k":"v"}}}}"#
    )
}

#[test]
fn referrers_are_a_list_whatever_is_there() {
    let server = Server::start();
    let subject = digest("never pushed");
    let target = format!("/v2/a/referrers/{subject}");
    let empty = server.get(&target);
    assert_eq!(empty.status, 200);
    assert_eq!(empty.header("content-type"), Some("application/vnd.oci.image.index.v1+json"));
    assert_eq!(empty.json()["manifests"].as_array().unwrap().len(), 0);
    assert_eq!(server.get("/v2/a/referrers/sha256:0").status, 400);

    let config = push_blob(&server, "a", b"{}");
    let (sbom, sig) = (attached(&config, &subject, "x/sbom"), attached(&config, &subject, "x/sig"));
    for manifest in [&sbom, &sig] {
        let pushed = put(&server, "a", &digest(manifest), manifest);
        assert_eq!((pushed.status, pushed.header("oci-subject")), (201, Some(subject.as_str())));
    }
    let all = server.get(&target).json();
    assert_eq!(all["manifests"].as_array().unwrap().len(), 2);
    let one = server.get(&format!("{target}?artifactType=x/sbom"));
    assert_eq!(one.header("oci-filters-applied"), Some("artifactType"));
    let found = one.json()["manifests"].clone();
    assert_eq!(found.as_array().unwrap().len(), 1);
    assert_eq!(found[0]["digest"], digest(&sbom));
    assert_eq!(found[0]["artifactType"], "x/sbom");
    assert_eq!(found[0]["annotations"]["k"], "v");
    assert_eq!(found[0]["size"], sbom.len());
    let page = server.get(&format!("{target}?n=1"));
    assert_eq!(page.json()["manifests"].as_array().unwrap().len(), 1);
    let rest = server.get(&next(&page).unwrap());
    assert_eq!(rest.json()["manifests"].as_array().unwrap().len(), 1);
    assert_ne!(rest.json()["manifests"][0], page.json()["manifests"][0]);
    assert_eq!(next(&rest), None);

    assert_eq!(server.delete(&format!("/v2/a/manifests/{}", digest(&sig))).status, 202);
    assert_eq!(server.get(&target).json()["manifests"].as_array().unwrap().len(), 1);
}
