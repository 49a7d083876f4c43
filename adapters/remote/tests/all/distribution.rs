//! The same against a registry that nobody here wrote: CNCF distribution.

use domain::{Digest, Tag};
use oci::route::ManifestRef;
use remote::content::read_whole;
use remote::{
    AliasMove, CopyOptions, ManifestBytes, Place, ReferrersToo, Registry, RegistrySettings,
    RemoteRepository, TagAt, TagWrite, Target, UploadWay, copy,
};
use testbed::Distribution;

use crate::images::{IMAGE, image, index};
use crate::layouts::layout_of;
use crate::script::{install_provider, quick};

/// A running registry; `None`, and counted, where it is not installed.
async fn distribution(test: &str) -> Option<Distribution> {
    install_provider();
    let started = tokio::task::spawn_blocking(Distribution::start).await.unwrap();
    match started {
        Ok(running) => Some(running),
        Err(error) if error.is::<testbed::Missing>() => {
            testbed::skip(test, error);
            None
        }
        Err(error) => panic!("{error:#}"),
    }
}

fn repository(running: &Distribution, path: &str, settings: RegistrySettings) -> RemoteRepository {
    let registry = Registry::new(running.host().parse().unwrap(), settings).unwrap();
    registry.repository(path.parse().unwrap())
}

fn tag(text: &str) -> Tag {
    text.parse().unwrap()
}

#[tokio::test]
async fn an_image_goes_in_is_tagged_and_comes_out_again() {
    let Some(running) = distribution("an_image_goes_in_is_tagged_and_comes_out_again").await else {
        return;
    };
    let (one, two) = (image(&[1; 300_000]), image(b"two"));
    let all = index(&[&one, &two]);
    let (_folder, layout) = layout_of(&[(&one, &[]), (&two, &[])]).await;
    layout
        .put_manifest(&all.digest, &all.bytes, crate::images::INDEX, &[tag("all")])
        .await
        .unwrap();
    let chunks =
        RegistrySettings { upload: UploadWay::Chunks(100_000.try_into().unwrap()), ..quick() };
    for (path, settings) in [("shop/whole", quick()), ("shop/chunks", chunks)] {
        let to = repository(&running, path, settings);
        assert_eq!(to.tag_at(&tag("1")).await.unwrap(), TagAt::Absent);
        let from = Place::Layout(layout.clone(), Some("all".into()));
        let copied =
            copy(&from, &Target::Registry(to.clone()), CopyOptions::default()).await.unwrap();
        assert_eq!((copied.manifest.digest, copied.sent), (all.digest, 4));
        let fates = to.put_manifest_tagged(&all, &[tag("1"), tag("1.0")]).await.unwrap();
        assert_eq!(fates, [TagWrite::Created, TagWrite::Created]);
        assert_eq!(to.manifest_by_tag(&tag("1.0")).await.unwrap(), all);
        let stream = to.blob(&one.layer_digest(), Some(300_000)).await.unwrap();
        assert_eq!(read_whole(stream, 300_000, "layer").await.unwrap(), one.layer);
        let again =
            copy(&from, &Target::Registry(to.clone()), CopyOptions::default()).await.unwrap();
        assert_eq!((again.sent, again.present), (0, 4));
        // Distribution would overwrite: the client must not let it.
        let taken = to.put_manifest_tagged(&two.manifest, &[tag("1")]).await.unwrap();
        assert_eq!(taken, [TagWrite::Taken { there: all.digest }]);
        let mut names = to.tags().await.unwrap().tags;
        names.sort();
        assert_eq!(names, [tag("1"), tag("1.0")]);
    }
}

#[tokio::test]
async fn an_alias_moves_and_blobs_are_mounted_and_deleted() {
    let Some(running) = distribution("an_alias_moves_and_blobs_are_mounted_and_deleted").await
    else {
        return;
    };
    let (one, two) = (image(b"one"), image(b"two"));
    let (_folder, layout) = layout_of(&[(&one, &["1"]), (&two, &["2"])]).await;
    let to = repository(&running, "shop/api", quick());
    for name in ["1", "2"] {
        let from = Place::Layout(layout.clone(), Some(name.into()));
        copy(&from, &Target::Registry(to.clone()), CopyOptions::default()).await.unwrap();
    }
    let moved = to.move_alias(&one.manifest, &tag("uat"), TagAt::Absent).await.unwrap();
    assert_eq!(moved, AliasMove::Moved { from: TagAt::Absent });
    let at_one = TagAt::Digest(one.manifest.digest);
    let moved = to.move_alias(&two.manifest, &tag("uat"), at_one).await.unwrap();
    assert_eq!(moved, AliasMove::Moved { from: at_one });
    let late = to.move_alias(&one.manifest, &tag("uat"), at_one).await.unwrap();
    assert_eq!(late, AliasMove::Elsewhere { there: TagAt::Digest(two.manifest.digest) });

    let other = repository(&running, "shop/other", quick());
    let from = Place::Registry(to.clone(), ManifestRef::Tag(tag("uat")));
    let copied =
        copy(&from, &Target::Registry(other.clone()), CopyOptions::default()).await.unwrap();
    assert_eq!((copied.mounted, copied.sent), (2, 0));

    other.delete_manifest(&ManifestRef::Digest(two.manifest.digest)).await.unwrap();
    assert!(!other.has_manifest(&two.manifest.digest).await.unwrap());
    other.delete_blob(&two.layer_digest()).await.unwrap();
    assert!(other.has_blob(&two.layer_digest()).await.unwrap().is_none());
    let gone = other.delete_blob(&Digest::sha256(b"never")).await.unwrap_err();
    assert!(gone.is_not_found(), "{gone}");
}

#[tokio::test]
async fn what_is_attached_goes_along_where_the_registry_keeps_no_list() {
    let Some(running) =
        distribution("what_is_attached_goes_along_where_the_registry_keeps_no_list").await
    else {
        return;
    };
    let image = image(b"one");
    let (_folder, layout) = layout_of(&[(&image, &["1"])]).await;
    let from = repository(&running, "shop/api", quick());
    let place = Place::Layout(layout, None);
    copy(&place, &Target::Registry(from.clone()), CopyOptions::default()).await.unwrap();
    let text = String::from_utf8(image.manifest.bytes.to_vec()).unwrap();
    let (digest, size) = (image.manifest.digest, text.len());
    let subject = format!(
        r#"{{"artifactType":"a/sbom","subject":{{"mediaType":"{IMAGE}","digest":"{digest}","size":{size}}},"#
    );
    let sbom = ManifestBytes::new(IMAGE, text.replacen('{', &subject, 1));
    from.put_referrer(&sbom).await.unwrap();
    from.put_referrer(&sbom).await.unwrap();
    let listed = from.referrers(&digest, Some("a/sbom")).await.unwrap();
    assert_eq!(listed.iter().map(|entry| entry.digest).collect::<Vec<_>>(), [sbom.digest]);

    let to = repository(&running, "shop/copy", quick());
    let place = Place::Registry(from, ManifestRef::Digest(digest));
    let options = CopyOptions { referrers: ReferrersToo::Yes };
    let copied = copy(&place, &Target::Registry(to.clone()), options).await.unwrap();
    assert_eq!(copied.referrers, [sbom.digest]);
    assert_eq!(to.manifest(&sbom.digest).await.unwrap(), sbom);
    assert_eq!(to.referrers(&digest, None).await.unwrap().len(), 1);
}
