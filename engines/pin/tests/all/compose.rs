//! Compose files.

use crate::support::{changed, listed, pinned, sites};
use pin::Format;

const C: Format = Format::Compose;

const TEXT: &str = "# image: not/me
x-app: &app
  image: shop/app:1
x-image: &img shop/anchored:2
services:
  web: {image: nginx, ports: [\"80:80\"]}
  api:
    <<: *app
    environment:
      image: not/me:3
  worker:
    <<: [*app]
    command: |
      image: not/me:4
  built:
    image: shop/built:5
    build: .
  anchored:
    image: *img
  variable:
    image: ${REGISTRY:-docker.io}/shop/v:${TAG}
  data:
    image: \"shop/data:6\"
    volumes:
      - type: image
        source: shop/volume:7
        target: /data
      - ./x:/y
";

#[test]
fn services_are_listed_through_anchors_and_merges() {
    assert_eq!(
        listed(C, TEXT),
        [
            "3:10 tag shop/app:1",
            "4:15 tag shop/anchored:2",
            "6:16 bare nginx",
            "16:12 build shop/built:5",
            "21:12 opaque ${REGISTRY:-docker.io}/shop/v:${TAG}",
            "23:13 tag shop/data:6",
            "26:17 tag shop/volume:7",
        ]
    );
    let found = sites(C, TEXT);
    assert_eq!(found[2].context.container.as_deref(), Some("web"));
    assert_eq!(found[1].aliases[0].path, "services.anchored.image");
}

#[test]
fn only_what_is_pulled_is_pinned() {
    assert_eq!(
        changed(TEXT, &pinned(C, TEXT)),
        [
            "  image: shop/app:1@NINES",
            "x-image: &img shop/anchored:2@NINES",
            "  web: {image: nginx@NINES, ports: [\"80:80\"]}",
            "    image: \"shop/data:6@NINES\"",
            "        source: shop/volume:7@NINES",
        ]
    );
}

#[test]
fn a_value_that_one_service_builds_and_another_pulls_is_pulled() {
    let built = "x: &i a/b:1\nservices:\n  one: {build: ., image: *i}\n  two: {image: *i}\n";
    assert_eq!(listed(C, built), ["1:7 tag a/b:1"]);
    let pulled = "x: &i a/b:1\nservices:\n  two: {image: *i}\n  one: {build: ., image: *i}\n";
    assert_eq!(listed(C, pulled), ["1:7 tag a/b:1"]);
}
