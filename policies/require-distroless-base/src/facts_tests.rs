use sha2::{Digest, Sha256};

use super::*;

fn read(manifest: &str, config: &str) -> Result<(String, usize, bool, String), String> {
    let (manifest, config) = (Json::parse(manifest).expect("JSON"), Json::parse(config).expect("JSON"));
    let facts = Facts::read(&manifest, &config).map_err(NoFacts::into_text)?;
    Ok((facts.platform, facts.history.len(), facts.is_debug_variant, facts.claimed_base.to_owned()))
}

fn rootfs(layers: usize) -> String {
    let ids = vec![format!("\"{}\"", EMPTY_LAYERS[0]); layers];
    format!(r#""rootfs":{{"type":"layers","diff_ids":[{}]}}"#, ids.join(","))
}

#[test]
fn an_image_is_read_as_far_as_it_goes() {
    let manifest = r#"{"layers":[{}],"annotations":{"org.opencontainers.image.base.name":"a"}}"#;
    let config = format!(
        r#"{{"os":"linux","architecture":"arm64","config":{{"Env":["PATH=/bin:/busybox","A"],
            "Labels":{{"org.opencontainers.image.base.name":"b"}}}},"history":[{{}}],{}}}"#,
        rootfs(1)
    );
    assert_eq!(read(manifest, &config), Ok(("linux/arm64".to_owned(), 1, true, "a".to_owned())));
    assert_eq!(read(r#"{"layers":[{}]}"#, &config).map(|(_, _, _, base)| base), Ok("b".to_owned()));
    let bare = format!("{{{},\"config\":{{\"Env\":[\"PATH=/busybox2\"]}}}}", rootfs(1));
    assert_eq!(read(r#"{"layers":[1]}"#, &bare), Ok(("/".to_owned(), 0, false, String::new())));
}

#[test]
fn what_no_runtime_could_unpack_is_an_error() {
    let many = rootfs(MOST_LAYERS + 1);
    for (manifest, config, expected) in [
        ("{}", "{}", "has no rootfs.diff_ids"),
        ("{}", r#"{"rootfs":[]}"#, "rootfs: expected an object, found a list"),
        ("{}", r#"{"rootfs":{"diff_ids":{}}}"#, "expected a list, found an object"),
        ("{}", r#"{"rootfs":{"diff_ids":[]}}"#, "it has no layers"),
        ("{}", r#"{"rootfs":{"diff_ids":[1]}}"#, "one of rootfs.diff_ids is a number"),
        ("{}", r#"{"rootfs":{"diff_ids":["sha256:0"]}}"#, "one of rootfs.diff_ids is no digest"),
        ("{}", &format!("{{{many}}}"), "it has 1025 layers"),
        ("null", &format!("{{{}}}", rootfs(1)), "layers: expected a list, found null"),
        (r#"{"layers":[]}"#, &format!("{{{}}}", rootfs(1)), "0 and 1, so nothing can unpack it"),
        (r#"{"layers":[1]}"#, &format!("{{\"history\":{{}},{}}}", rootfs(1)), "expected a list, found an object"),
        (r#"{"layers":[1]}"#, &format!("{{\"history\":[1],{}}}", rootfs(1)), "expected an object, found a number"),
        (
            r#"{"layers":[1]}"#,
            &format!("{{\"history\":[{{\"created_by\":[]}}],{}}}", rootfs(1)),
            "created_by: expected a string, found a list",
        ),
        (r#"{"layers":[1]}"#, &format!("{{\"config\":{{\"Cmd\":1}},{}}}", rootfs(1)), "its Cmd cannot be read"),
        (r#"{"layers":[1]}"#, &format!("{{\"config\":[],{}}}", rootfs(1)), "config: expected an object, found a list"),
        (
            r#"{"layers":[1]}"#,
            &format!("{{\"config\":\"x\",{}}}", rootfs(1)),
            "config: expected an object, found a string",
        ),
        (
            r#"{"layers":[1]}"#,
            &format!("{{\"config\":{{\"Env\":\"PATH=/busybox\"}},{}}}", rootfs(1)),
            "Env: expected a list of",
        ),
        (
            r#"{"layers":[1]}"#,
            &format!("{{\"config\":{{\"Env\":[1]}},{}}}", rootfs(1)),
            "Env: expected a list of strings",
        ),
        (r#"{"layers":[1]}"#, &format!("{{\"architecture\":5,{}}}", rootfs(1)), "architecture: expected a string"),
        (r#"{"layers":[1]}"#, &format!("{{\"os\":[],{}}}", rootfs(1)), "os: expected a string, found a list"),
        (
            r#"{"layers":[1]}"#,
            &format!("{{\"history\":[{{\"empty_layer\":\"true\"}}],{}}}", rootfs(1)),
            "empty_layer: expected a boolean, found a string",
        ),
    ] {
        let error = read(manifest, config).expect_err(config);
        assert!(error.contains(expected), "{config}: {error}");
    }
}

#[test]
fn an_empty_layer_is_an_archive_of_nothing() {
    let digest_of_zeros = |count: usize| {
        let hex: Vec<String> = Sha256::digest(vec![0; count]).iter().map(|byte| format!("{byte:02x}")).collect();
        format!("sha256:{}", hex.concat())
    };
    for (layer, zeros) in EMPTY_LAYERS.iter().zip([1024, 10240, 0]) {
        assert_eq!(**layer, digest_of_zeros(zeros));
        assert!(is_empty_layer(layer));
    }
    assert!(!is_empty_layer(&digest_of_zeros(1)));
}

#[test]
fn what_does_not_say_that_it_is_an_image_is_told_from_an_image_that_cannot_be_read() {
    for (manifest, config, is_no_image) in [
        ("{}", "{}", true),
        (r#"{"config":{"mediaType":"application/vnd.amazon.soci.index.v2+json"}}"#, "{}", true),
        ("{}", r#"{"rootfs":{"diff_ids":null}}"#, true),
        (r#"{"config":{"mediaType":"application/vnd.oci.image.config.v1+json"}}"#, "{}", false),
        ("{}", r#"{"rootfs":[]}"#, false),
        ("{}", r#"{"rootfs":{"diff_ids":[]}}"#, false),
    ] {
        let (manifest, config) = (Json::parse(manifest).expect("JSON"), Json::parse(config).expect("JSON"));
        let error = Facts::read(&manifest, &config).expect_err("no image");
        assert_eq!(matches!(error, NoFacts::NoImage(_)), is_no_image, "{error:?}");
    }
}
