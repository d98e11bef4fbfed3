use super::*;

/// Answers by operation and image; everything else is an error, as in production.
struct Registry(Vec<(&'static str, String, String)>);

impl Host for Registry {
    fn call(&self, namespace: &str, operation: &str, payload: &[u8]) -> Result<Vec<u8>, String> {
        assert_eq!(namespace, "oci");
        let image: String = serde_json::from_slice(payload).expect("a JSON string");
        let known = self.0.iter().find(|(known, name, _)| *known == operation && *name == image);
        known.map(|(_, _, answer)| answer.clone().into_bytes()).ok_or_else(|| {
            format!("Host error: Callback evaluation failure: cannot fetch {image}\n\nCaused by:\n    0: not found\n\nStack backtrace:\n   0: main")
        })
    }

    fn now(&self) -> i64 {
        0
    }
}

const IMAGE: &str = "r.io/app:1";

fn digest(of: char) -> String {
    format!("sha256:{}", of.to_string().repeat(64))
}

fn asked(manifest: &str) -> Result<Vec<PlatformImage>, String> {
    let registry = Registry(vec![("v1/oci_manifest", IMAGE.to_owned(), manifest.to_owned())]);
    platforms(&registry, &Reference::parse(IMAGE).expect("a reference"))
}

#[test]
fn an_index_has_its_platforms_and_no_attestations() {
    let index = format!(
        r#"{{"manifests":[
            {{"digest":"{}","platform":{{"architecture":"amd64","os":"linux"}}}},
            {{"digest":"{}","platform":{{"architecture":"arm64","os":"linux","variant":"v8"}}}},
            {{"digest":"{}"}},
            {{"digest":"{}","platform":{{"architecture":"unknown","os":"unknown"}}}}]}}"#,
        digest('a'),
        digest('b'),
        digest('c'),
        digest('d'),
    );
    let found = asked(&index).expect("an index");
    let names: Vec<&str> = found.iter().map(PlatformImage::platform).collect();
    // A child without a platform is one that runtimes may choose.
    assert_eq!(names, ["linux/amd64", "linux/arm64/v8", digest('c').as_str()]);
    assert_eq!(found.first().map(PlatformImage::reference), Some(format!("r.io/app@{}", digest('a')).as_str()));
}

#[test]
fn an_index_in_an_index_is_refused() {
    for kind in ["application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json"]
    {
        let child = |kind: &str| {
            let platform = r#""platform":{"architecture":"amd64","os":"linux"}"#;
            format!(r#"{{"mediaType":"{kind}","digest":"{}",{platform}}}"#, digest('a'))
        };
        let plain = child("application/vnd.oci.image.manifest.v1+json");
        assert!(asked(&format!(r#"{{"manifests":[{plain}]}}"#)).is_ok());
        let error = asked(&format!(r#"{{"manifests":[{plain},{}]}}"#, child(kind))).expect_err(kind);
        assert_eq!(error, "it holds an index in an index, of which nobody knows what would run");
    }
}

#[test]
fn an_image_without_an_index_is_its_own_platform() {
    let found = asked(r#"{"config":{},"layers":[]}"#).expect("a manifest");
    assert_eq!(found, [PlatformImage { platform: String::new(), reference: IMAGE.to_owned() }]);
}

#[test]
fn a_digest_is_asked_for_rather_than_the_tag_beside_it() {
    let pinned = format!("r.io/app@{}", digest('a'));
    let registry = Registry(vec![("v1/oci_manifest", pinned.clone(), r#"{"config":{}}"#.to_owned())]);
    let text = format!("r.io/app:1@{}", digest('a'));
    let found = platforms(&registry, &Reference::parse(&text).expect("a reference")).expect("a manifest");
    assert_eq!(found.first().map(PlatformImage::reference), Some(pinned.as_str()));
}

#[test]
fn what_cannot_be_read_is_an_error_with_its_cause() {
    let many = format!(
        r#"{{"manifests":[{}]}}"#,
        vec![format!(r#"{{"digest":"{}"}}"#, digest('a')); MOST_PLATFORMS + 1].join(",")
    );
    for (manifest, cause) in [
        ("", "its manifest cannot be read"),
        ("{}", "neither an image manifest nor an image index"),
        (r#"{"manifests":{}}"#, "neither an image manifest nor an image index"),
        (r#"{"schemaVersion":1,"fsLayers":[]}"#, "neither an image manifest nor an image index"),
        (r#"{"config":{},"manifests":[]}"#, "a manifest and an index at once"),
        (r#"{"layers":[],"manifests":[]}"#, "a manifest and an index at once"),
        (r#"{"manifests":[]}"#, "names no image"),
        (r#"{"manifests":[{"platform":{"architecture":"unknown","os":"unknown"}}]}"#, "names no image"),
        (r#"{"manifests":[{"digest":"sha256:0"}]}"#, "is not a digest"),
        (r#"{"manifests":["x"]}"#, "is not a digest"),
        (many.as_str(), "more than 64"),
    ] {
        let error = asked(manifest).expect_err(manifest);
        assert!(error.contains(cause), "{manifest}: {error}");
    }
    let error = platforms(&Registry(Vec::new()), &Reference::parse(IMAGE).expect("a reference")).expect_err("nothing");
    assert_eq!(error, "cannot fetch r.io/app:1 Caused by: 0: not found");
}

#[test]
fn a_configuration_is_an_object() {
    let image = PlatformImage { platform: String::new(), reference: IMAGE.to_owned() };
    for (answer, expected) in [
        (r#"{"config":{"os":"linux"},"digest":"sha256:0","manifest":{}}"#, Ok("linux")),
        (r#"{"config":null}"#, Err("expected an object, found null")),
        (r#"{"digest":"sha256:0"}"#, Err("expected an object, found null")),
        ("", Err("its configuration cannot be read")),
    ] {
        let registry = Registry(vec![("v1/oci_manifest_config", IMAGE.to_owned(), answer.to_owned())]);
        let config = image.config(&registry).expect("an answer");
        match (config.read(), expected) {
            (Ok(read), Ok(os)) => assert_eq!(read.get("os").text(), os),
            (Err(error), Err(cause)) => assert!(error.contains(cause), "{error}"),
            (read, expected) => panic!("{answer}: {read:?}, expected {expected:?}"),
        }
    }
    assert!(image.config(&Registry(Vec::new())).is_err());
}

#[test]
fn a_digest_is_asked_for_unless_the_reference_has_it() {
    let asked = |answer: &str| {
        let registry = Registry(vec![("v1/manifest_digest", IMAGE.to_owned(), answer.to_owned())]);
        super::digest(&registry, &Reference::parse(IMAGE).expect("a reference"))
    };
    assert_eq!(asked(&format!(r#"{{"digest":"{}"}}"#, digest('a'))), Ok(digest('a')));
    for answer in ["", "{}", r#"{"digest":null}"#, r#"{"digest":"sha256:a"}"#, r#"{"digest":"latest"}"#] {
        assert!(asked(answer).expect_err(answer).starts_with("its digest cannot be read: "), "{answer}");
    }
    let nobody = Registry(Vec::new());
    assert!(super::digest(&nobody, &Reference::parse(IMAGE).expect("a reference")).is_err());
    // The tag beside a digest is decoration.
    let pinned = format!("{IMAGE}@{}", digest('b'));
    assert_eq!(super::digest(&nobody, &Reference::parse(&pinned).expect("a reference")), Ok(digest('b')));
}

#[test]
fn an_image_has_a_digest_and_an_id() {
    let reference = format!("r.io/app@{}", digest('a'));
    let image = PlatformImage { platform: String::new(), reference: reference.clone() };
    assert_eq!(image.digest(), Some(digest('a').as_str()));
    assert_eq!(PlatformImage { platform: String::new(), reference: IMAGE.to_owned() }.digest(), None);
    let manifest = format!(r#"{{"config":{{"digest":"{}"}}}}"#, digest('d'));
    assert_eq!(image.id(&Registry(vec![("v1/oci_manifest", reference.clone(), manifest)])), Ok(digest('d')));
    for manifest in ["", "{}", r#"{"config":{"digest":"x"}}"#] {
        let registry = Registry(vec![("v1/oci_manifest", reference.clone(), manifest.to_owned())]);
        assert!(image.id(&registry).expect_err(manifest).starts_with("its manifest cannot be read: "), "{manifest}");
    }
}

#[test]
fn a_configuration_comes_with_its_manifest() {
    for (answer, layers) in [
        (r#"{"config":{"os":"linux"},"manifest":{"layers":[{}]}}"#, 1),
        (r#"{"config":{"os":"linux"},"digest":"sha256:0"}"#, 0),
    ] {
        let config = ImageConfig(answer.as_bytes().to_vec());
        let (manifest, config) = config.read_with_manifest().expect("both");
        assert_eq!((manifest.get("layers").items().len(), config.get("os").text()), (layers, "linux"));
    }
    assert!(ImageConfig(br#"{"manifest":{}}"#.to_vec()).read_with_manifest().is_err());
}

#[test]
fn a_key_that_runtimes_read_differently_is_an_error() {
    let both = |config: &str| {
        let answer = format!(r#"{{"config":{config},"manifest":{{"layers":[]}}}}"#);
        ImageConfig(answer.into_bytes()).read_with_manifest().map(|_| ()).map_err(|error| error.clone())
    };
    for (config, cause) in [
        (r#"{"rootfs":{},"rootFS":{}}"#, r#"its configuration is ambiguous: it has both "rootfs" and "rootFS""#),
        ("{\"rootf\u{17f}\":{}}", "it has \"rootf\u{17f}\", which runtimes read as \"rootfs\""),
        (r#"{"rootfs":{"diff_ids":[],"Diff_Ids":[]}}"#, r#"both "diff_ids" and "Diff_Ids""#),
        (r#"{"config":{"entrypoint":["sh"]}}"#, r#"it has "entrypoint", which runtimes read as "Entrypoint""#),
        (r#"{"config":{},"Config":{}}"#, r#"both "config" and "Config""#),
        (r#"{"history":[{"created_by":""},{"created_by":"a","CREATED_BY":"b"}]}"#, r#"and "CREATED_BY""#),
    ] {
        let error = both(config).expect_err(config);
        assert!(error.contains(cause), "{config}: {error}");
    }
    // Labels are looked up by their exact names, and what nobody reads may be called anything.
    for config in
        [r#"{"config":{"Labels":{"a":"","A":""}},"container":"","Container":""}"#, "{\"rootf\u{df}\":{},\"root\":{}}"]
    {
        assert_eq!(both(config), Ok(()), "{config}");
    }
    let child = |text: &str| format!(r#"{{"manifests":[{{"digest":"{}",{text}}}]}}"#, digest('a'));
    for (manifest, cause) in [
        (
            r#"{"manifests":[],"Manifests":[]}"#.to_owned(),
            r#"its manifest is ambiguous: it has both "manifests" and "Manifests""#,
        ),
        (r#"{"layers":[],"config":{},"LAYERS":[]}"#.to_owned(), r#"both "layers" and "LAYERS""#),
        ("{\"layer\u{17f}\":[],\"config\":{}}".to_owned(), "read as \"layers\""),
        (r#"{"layers":[],"config":{"Digest":""}}"#.to_owned(), r#"read as "digest""#),
        (child(r#""Digest":"b""#), r#"its index is ambiguous: it has both "digest" and "Digest""#),
        (child(r#""Platform":{}"#), r#"read as "platform""#),
        (child(r#""platform":{"os":"unknown","architecture":"unknown","OS":"linux"}"#), r#"both "os" and "OS""#),
    ] {
        let error = asked(&manifest).expect_err(&manifest);
        assert!(error.contains(cause), "{manifest}: {error}");
    }
}

#[test]
fn what_a_platform_asks_of_the_system_is_in_its_name() {
    let named = |platform: &str| {
        let index = format!(r#"{{"manifests":[{{"digest":"{}","platform":{platform}}}]}}"#, digest('a'));
        asked(&index).expect("an index").first().map(|image| image.platform().to_owned()).unwrap_or_default()
    };
    for (platform, expected) in [
        (r#"{"os":"linux","architecture":"arm","variant":"v7"}"#, "linux/arm/v7"),
        (r#"{"os":"windows","architecture":"amd64","os.version":"10.0.1"}"#, "windows(10.0.1)/amd64"),
        (r#"{"os":"linux","architecture":"amd64","os.features":["erofs","b"]}"#, "linux(+erofs+b)/amd64"),
        (r#"{"os":"linux","architecture":"amd64","os.features":[],"os.version":""}"#, "linux/amd64"),
    ] {
        assert_eq!(named(platform), expected);
    }
}
