//! The live capabilities against real parts: a registry on this machine, signatures that are really verified.
//!
//! What is asked of the registry is asked of a world with the same images, too: both must answer alike.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bundle_tests::cluster::Cluster;
use bundle_tests::images::{Image, Platform};
use bundle_tests::registry::{self, PASSWORD, Registry, Setup, USER};
use bundle_tests::signing::{Authority, Identity, Signed, sign};
use host_runner::admission::Catalog;
use host_runner::capabilities::{
    AccessReview, Answer, CapabilityError, CertificateTrust, CertificateVerification, EncodedCertificate, Encoding,
    GithubActionsVerification, ImageQuestion, KeylessIdentity, KeylessPrefix, KeylessPrefixVerification,
    KeylessVerification, ObjectQuestion, ObjectsQuestion, PublicKeyVerification, Question, ResourceAttributes, Source,
};
use host_runner::live::{LiveOptions, Network, Online};
use host_runner::world::{Applied, Contents, Offline, World, WorldFile};
use rcgen::KeyPair;
use serde_json::{Value, json};

const GITHUB: &str = "https://token.actions.githubusercontent.com";

fn online(options: &LiveOptions) -> Online {
    Online::new(Arc::new(World::default()), network(options))
}

fn network(options: &LiveOptions) -> Arc<Network> {
    Arc::new(Network::new(options).unwrap_or_else(|problem| panic!("{problem}")))
}

fn anonymous() -> LiveOptions {
    LiveOptions::default()
}

fn offline(registry: &Registry, images: &[(&Image, Vec<Value>)]) -> Offline {
    let images =
        images.iter().flat_map(|(image, signatures)| image.in_typed_world(&registry.host, signatures)).collect();
    let mut contents = Contents::default();
    contents.add(WorldFile { images: Some(images), ..WorldFile::default() }).expect("a world");
    Offline(Arc::new(World::default().with(contents, &Catalog::default()).expect("a world")))
}

fn about(image: &str) -> ImageQuestion {
    ImageQuestion { image: image.to_owned() }
}

/// The JSON of an answer, or the kind of failure.
fn json_of(answer: Answer) -> Result<Value, &'static str> {
    match answer {
        Ok(bytes) => Ok(serde_json::from_slice(&bytes).expect("JSON")),
        Err(CapabilityError::Failed(_)) => Err("failed"),
        Err(CapabilityError::Unanswered(_)) => Err("unanswered"),
    }
}

fn go_app(name: &str) -> Platform {
    Platform::new(name, &["static", "app"], json!({ "Entrypoint": ["/app"], "Labels": { "a": "b" } }))
}

#[test]
fn a_registry_and_a_world_answer_alike() {
    let Some(registry) = registry::start(&Setup::default()) else { return };
    let single = Image::single("team/single:v1", go_app("linux/amd64"));
    let several = Image::index("team/several:v1", vec![go_app("linux/amd64"), go_app("linux/arm64")]);
    registry.push(&single);
    registry.push(&several);
    let live = online(&anonymous());
    let world = offline(&registry, &[(&single, Vec::new()), (&several, Vec::new())]);

    let child = several.manifests()[1].0.clone();
    let by_digest = format!("team/several@{}", several.digest());
    for name in ["team/single:v1", "team/several:v1", &child, &by_digest, "team/single:missing", "team/missing:v1"] {
        let image = format!("{}/{name}", registry.host);
        for question in [
            Question::OciManifestDigest(about(&image)),
            Question::OciManifest(about(&image)),
            Question::OciManifestAndConfig(about(&image)),
        ] {
            assert_eq!(json_of(live.answer(&question)), json_of(world.answer(&question)), "{question:?}");
        }
    }
    // What the host cannot choose is refused in the same words.
    let index = Question::OciManifestAndConfig(about(&format!("{}/team/several:v1", registry.host)));
    for answer in [live.answer(&index), world.answer(&index)] {
        let Err(CapabilityError::Failed(message)) = answer else { panic!("{answer:?}") };
        assert!(message.contains("platform_resolver was not defined on the client config"), "{message}");
    }
}

#[test]
fn nobody_there_is_no_answer() {
    let live = online(&anonymous());
    // Nothing listens on the discard port.
    let answer = live.answer(&Question::OciManifestDigest(about("127.0.0.1:9/app:v1")));
    assert_eq!(json_of(answer), Err("unanswered"));
    let answer = live.answer(&Question::OciManifestDigest(about("not a reference")));
    assert_eq!(json_of(answer), Err("failed"));
}

#[test]
fn credentials_are_those_of_docker_login() {
    let Some(registry) = registry::start(&Setup { wants_password: true, ..Setup::default() }) else { return };
    let image = Image::single("team/secret:v1", go_app("linux/amd64"));
    registry.push(&image);
    let question = Question::OciManifestDigest(about(&format!("{}/team/secret:v1", registry.host)));

    let folder = tempfile::tempdir().expect("a folder");
    let ask = |config: Value| {
        fs::write(folder.path().join("config.json"), config.to_string()).expect("written");
        let options = LiveOptions { docker_config: Some(folder.path().to_owned()), ..LiveOptions::default() };
        online(&options).answer(&question)
    };
    let auth = |user: &str, password: &str| json!({ "username": user, "password": password });
    assert_eq!(
        json_of(ask(json!({ "auths": { &registry.host: auth(USER, PASSWORD) } }))),
        Ok(json!({ "digest": image.digest() }))
    );
    assert_eq!(json_of(ask(json!({ "auths": { &registry.host: auth(USER, "wrong") } }))), Err("unanswered"));
    assert_eq!(json_of(ask(json!({ "auths": { "elsewhere": auth(USER, PASSWORD) } }))), Err("unanswered"));
    let Err(CapabilityError::Unanswered(message)) = ask(json!({ "credHelpers": { &registry.host: "missing" } })) else {
        panic!("answered")
    };
    assert!(message.contains("asked without credentials: "), "{message}");
}

#[test]
fn certificates_of_registries_are_believed_where_sources_say_so() {
    let certificate = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).expect("a certificate");
    let (pem, key) = (certificate.cert.pem(), certificate.signing_key.serialize_pem());
    let Some(registry) = registry::start(&Setup { tls: Some((pem.clone(), key)), ..Setup::default() }) else { return };
    let image = Image::single("team/tls:v1", go_app("linux/amd64"));
    registry.push(&image);
    let question = Question::OciManifestDigest(about(&format!("{}/team/tls:v1", registry.host)));

    let folder = tempfile::tempdir().expect("a folder");
    let ask = |sources: Value| {
        let path = folder.path().join("sources.yml");
        fs::write(&path, sources.to_string()).expect("written");
        let options = LiveOptions { sources: Some(path), ..LiveOptions::default() };
        json_of(online(&options).answer(&question))
    };
    let digest = Ok(json!({ "digest": image.digest() }));
    assert_eq!(ask(json!({ "source_authorities": { &registry.host: [{ "type": "Data", "data": pem }] } })), digest);
    assert_eq!(ask(json!({ "insecure_sources": [&registry.host] })), digest);
}

/// A registry with one image, and the ways to ask who signed it.
struct Signer {
    registry: Registry,
    authority: Authority,
    image: Image,
    trust: PathBuf,
    _folder: tempfile::TempDir,
}

impl Signer {
    fn new() -> Option<Self> {
        let registry = registry::start(&Setup::default())?;
        let image = Image::single("team/app:v1", go_app("linux/amd64"));
        registry.push(&image);
        let authority = Authority::new();
        let folder = tempfile::tempdir().expect("a folder");
        let trust = folder.path().join("trust.json");
        fs::write(&trust, authority.trust_config()).expect("written");
        Some(Signer { registry, authority, image, trust, _folder: folder })
    }

    fn push(&self, signatures: &[Signed]) {
        self.registry.push_signatures(&self.image.repository, &self.image.digest(), signatures);
    }

    fn name(&self) -> String {
        format!("{}/team/app:v1", self.registry.host)
    }

    /// The digest for which it holds, or how it fails.
    fn ask(&self, question: &Question) -> Result<String, String> {
        let options = LiveOptions { sigstore_trust_config: Some(self.trust.clone()), ..LiveOptions::default() };
        match online(&options).answer(question) {
            Ok(bytes) => {
                let answer: Value = serde_json::from_slice(&bytes).expect("JSON");
                assert_eq!(answer["is_trusted"], true);
                Ok(answer["digest"].as_str().expect("a digest").to_owned())
            }
            Err(CapabilityError::Failed(message)) => Err(message),
            Err(CapabilityError::Unanswered(message)) => panic!("unanswered: {message}"),
        }
    }

    fn by_keys(&self, keys: &[&KeyPair], annotations: Option<&[(&str, &str)]>) -> Question {
        Question::SigstorePubKeyVerify(PublicKeyVerification {
            image: self.name(),
            pub_keys: keys.iter().map(|key| key.public_key_pem()).collect(),
            annotations: annotations.map(map),
        })
    }

    fn by_identity(&self, issuer: &str, subject: &str) -> Question {
        Question::SigstoreKeylessVerify(KeylessVerification {
            image: self.name(),
            keyless: vec![KeylessIdentity { issuer: issuer.to_owned(), subject: subject.to_owned() }],
            annotations: None,
        })
    }

    fn by_prefix(&self, url_prefix: &str) -> Question {
        Question::SigstoreKeylessPrefixVerify(KeylessPrefixVerification {
            image: self.name(),
            keyless_prefix: vec![KeylessPrefix { issuer: GITHUB.to_owned(), url_prefix: url_prefix.to_owned() }],
            annotations: None,
        })
    }

    fn by_repository(&self, owner: &str, repo: Option<&str>) -> Question {
        Question::SigstoreGithubActionsVerify(GithubActionsVerification {
            image: self.name(),
            owner: owner.to_owned(),
            repo: repo.map(str::to_owned),
            annotations: None,
        })
    }
}

fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

const SUBJECT: &str = "https://github.com/acme/payments/.github/workflows/release.yml@refs/heads/main";

fn release_workflow() -> Identity {
    Identity { issuer: GITHUB.to_owned(), subject: SUBJECT.to_owned(), repository: Some("acme/payments".to_owned()) }
}

#[test]
fn keys_that_signed_are_told_from_keys_that_did_not() {
    let Some(signer) = Signer::new() else { return };
    let (key, other) = (KeyPair::generate().expect("a key"), KeyPair::generate().expect("a key"));
    let unsigned = signer.ask(&signer.by_keys(&[&key], None)).expect_err("unsigned");
    assert_eq!(unsigned, format!("no signatures found for image: {} ", signer.name()));

    let digest = signer.image.digest();
    signer.push(&[sign(&key, &digest, &json!({ "env": "prod" }))]);
    assert_eq!(signer.ask(&signer.by_keys(&[&key], None)), Ok(digest.clone()));
    assert_eq!(signer.ask(&signer.by_keys(&[&key], Some(&[("env", "prod")]))), Ok(digest));
    for question in [
        signer.by_keys(&[&other], None),
        // All of them must have signed.
        signer.by_keys(&[&key, &other], None),
        signer.by_keys(&[&key], Some(&[("env", "test")])),
    ] {
        let refusal = signer.ask(&question).expect_err("not signed so");
        assert!(refusal.starts_with("Image verification failed: missing signatures\n"), "{refusal}");
    }
    let nobody = signer.ask(&signer.by_keys(&[], None)).expect_err("nobody is asked about");
    assert_eq!(nobody, "Must provide at least one pub key");
}

#[test]
fn the_signature_of_another_image_is_none_of_this_one() {
    let Some(signer) = Signer::new() else { return };
    let key = KeyPair::generate().expect("a key");
    let other_digest = format!("sha256:{}", "a".repeat(64));
    signer.push(&[sign(&key, &other_digest, &json!({}))]);
    assert!(signer.ask(&signer.by_keys(&[&key], None)).is_err());
}

#[test]
fn identities_are_those_of_the_certificate() {
    let Some(signer) = Signer::new() else { return };
    let digest = signer.image.digest();
    signer.push(&[signer.authority.sign(&digest, &release_workflow(), &json!({}))]);
    for question in [
        signer.by_identity(GITHUB, SUBJECT),
        signer.by_prefix("https://github.com/acme/payments"),
        signer.by_repository("acme", None),
        signer.by_repository("acme", Some("payments")),
    ] {
        assert_eq!(signer.ask(&question), Ok(digest.clone()), "{question:?}");
    }
    for question in [
        signer.by_identity(GITHUB, &SUBJECT.replace("main", "feature")),
        signer.by_identity("https://gitlab.com", SUBJECT),
        signer.by_prefix("https://github.com/acme/pay"),
        signer.by_repository("evil", None),
        signer.by_repository("acme", Some("ledger")),
    ] {
        assert!(signer.ask(&question).is_err(), "{question:?}");
    }
}

#[test]
fn a_reusable_workflow_has_the_repository_of_its_caller() {
    let Some(signer) = Signer::new() else { return };
    let called = Identity { repository: Some("evil/fork".to_owned()), ..release_workflow() };
    let digest = signer.image.digest();
    signer.push(&[signer.authority.sign(&digest, &called, &json!({}))]);
    assert_eq!(signer.ask(&signer.by_identity(GITHUB, SUBJECT)), Ok(digest.clone()));
    assert_eq!(signer.ask(&signer.by_repository("evil", Some("fork"))), Ok(digest));
    assert!(signer.ask(&signer.by_repository("acme", Some("payments"))).is_err());
}

#[test]
fn a_certificate_from_elsewhere_is_nobodys() {
    let Some(signer) = Signer::new() else { return };
    let forger = Authority::new();
    signer.push(&[forger.sign(&signer.image.digest(), &release_workflow(), &json!({}))]);
    assert!(signer.ask(&signer.by_identity(GITHUB, SUBJECT)).is_err());
}

/// Certificate and log entry are public: anybody can copy them beside a signature of their own.
#[test]
fn a_copied_certificate_signs_nothing() {
    let Some(signer) = Signer::new() else { return };
    let elsewhere = format!("sha256:{}", "a".repeat(64));
    let genuine = signer.authority.sign(&elsewhere, &release_workflow(), &json!({}));
    let forged = sign(&KeyPair::generate().expect("a key"), &signer.image.digest(), &json!({}));
    let mut annotations = genuine.annotations.clone();
    annotations["dev.cosignproject.cosign/signature"] =
        forged.annotations["dev.cosignproject.cosign/signature"].clone();
    let own_signature = Signed { payload: forged.payload.clone(), annotations };
    let copied_signature = Signed { payload: forged.payload, annotations: genuine.annotations };
    for forgery in [own_signature, copied_signature] {
        signer.push(&[forgery]);
        for question in [signer.by_identity(GITHUB, SUBJECT), signer.by_repository("acme", None)] {
            let refusal = signer.ask(&question).expect_err("forged");
            assert!(refusal.starts_with("no signatures found for image"), "{refusal}");
        }
    }
}

/// A stolen key whose certificate has expired: the entry of another signature does not date this one.
#[test]
fn an_entry_of_the_log_is_about_one_signature() {
    let Some(signer) = Signer::new() else { return };
    let (certificate, key) = signer.authority.certify(&release_workflow());
    let digest = signer.image.digest();
    let elsewhere = sign(&key, &format!("sha256:{}", "a".repeat(64)), &json!({}));
    let logged = signer.authority.log(elsewhere, &certificate);
    let here = sign(&key, &digest, &json!({}));
    let mut annotations = logged.annotations;
    annotations["dev.cosignproject.cosign/signature"] = here.annotations["dev.cosignproject.cosign/signature"].clone();
    signer.push(&[Signed { payload: here.payload.clone(), annotations }]);
    assert!(signer.ask(&signer.by_identity(GITHUB, SUBJECT)).is_err());
    signer.push(&[signer.authority.log(here, &certificate)]);
    assert_eq!(signer.ask(&signer.by_identity(GITHUB, SUBJECT)), Ok(digest));
}

#[test]
fn certificates_are_judged_with_their_chain_and_the_log() {
    let Some(signer) = Signer::new() else { return };
    let (certificate, key) = signer.authority.certify(&release_workflow());
    let digest = signer.image.digest();
    let ask = |chain: &str, require_rekor_bundle: bool| {
        signer.ask(&Question::SigstoreCertificateVerify(CertificateVerification {
            image: signer.name(),
            certificate: certificate.clone().into_bytes(),
            certificate_chain: Some(vec![chain.as_bytes().to_vec()]),
            require_rekor_bundle,
            annotations: None,
        }))
    };
    let signed = sign(&key, &digest, &json!({}));
    signer.push(std::slice::from_ref(&signed));
    assert_eq!(ask(signer.authority.root_pem(), false), Ok(digest.clone()));
    assert!(ask(signer.authority.root_pem(), true).is_err());
    assert!(ask(Authority::new().root_pem(), false).is_err());
    signer.push(&[signer.authority.log(signed, &certificate)]);
    assert_eq!(ask(signer.authority.root_pem(), true), Ok(digest));
}

/// As for identities: an entry about another signature does not date this one.
#[test]
fn a_certificate_is_not_dated_by_an_entry_of_somebody_else() {
    let Some(signer) = Signer::new() else { return };
    let (certificate, key) = signer.authority.certify(&release_workflow());
    let digest = signer.image.digest();
    let (other_certificate, other_key) = signer.authority.certify(&release_workflow());
    let elsewhere = sign(&other_key, &format!("sha256:{}", "a".repeat(64)), &json!({}));
    let logged = signer.authority.log(elsewhere, &other_certificate);
    let Signed { payload, mut annotations } = sign(&key, &digest, &json!({}));
    annotations["dev.sigstore.cosign/bundle"] = logged.annotations["dev.sigstore.cosign/bundle"].clone();
    signer.push(&[Signed { payload, annotations }]);
    let question = Question::SigstoreCertificateVerify(CertificateVerification {
        image: signer.name(),
        certificate: certificate.into_bytes(),
        certificate_chain: None,
        require_rekor_bundle: true,
        annotations: None,
    });
    assert!(signer.ask(&question).is_err());
}

/// A registry that fails while signatures are fetched has not said that there are none.
#[test]
fn signatures_that_cannot_be_fetched_are_not_absent() {
    let Some(signer) = Signer::new() else { return };
    let key = KeyPair::generate().expect("a key");
    signer.push(&[sign(&key, &signer.image.digest(), &json!({}))]);
    assert!(signer.ask(&signer.by_keys(&[&key], None)).is_ok());
    signer.registry.lose_blobs();
    let options = LiveOptions { sigstore_trust_config: Some(signer.trust.clone()), ..LiveOptions::default() };
    let answer = online(&options).answer(&signer.by_keys(&[&key], None));
    assert!(matches!(&answer, Err(CapabilityError::Unanswered(_))), "{answer:?}");
}

#[test]
fn files_that_cannot_be_used_are_told_before_anything_is_asked() {
    let missing = || Some(Path::new("nowhere.yml").to_owned());
    for (options, expected) in [
        (LiveOptions { sources: missing(), ..LiveOptions::default() }, "nowhere.yml: cannot be read"),
        (LiveOptions { sigstore_trust_config: missing(), ..LiveOptions::default() }, "nowhere.yml: cannot be read"),
        (LiveOptions { kubeconfig: missing(), ..LiveOptions::default() }, "nowhere.yml: cannot be read"),
        (LiveOptions { docker_config: missing(), ..LiveOptions::default() }, "nowhere.yml/config.json: cannot be read"),
    ] {
        let Err(problem) = Network::new(&options) else { panic!("taken") };
        assert!(problem.to_string().starts_with(expected), "{problem}");
    }
}

fn object(kind: &str, name: &str, namespace: Option<&str>) -> Question {
    Question::KubernetesGetResource(ObjectQuestion {
        api_version: "v1".to_owned(),
        kind: kind.to_owned(),
        name: name.to_owned(),
        namespace: namespace.map(str::to_owned),
        disable_cache: false,
        field_masks: None,
    })
}

fn objects(kind: &str, namespace: Option<&str>, label_selector: Option<&str>) -> Question {
    let question = ObjectsQuestion {
        api_version: "v1".to_owned(),
        kind: kind.to_owned(),
        namespace: namespace.map(str::to_owned),
        label_selector: label_selector.map(str::to_owned),
        field_selector: None,
        field_masks: None,
    };
    match namespace {
        Some(_) => Question::KubernetesListResourceNamespace(question),
        None => Question::KubernetesListResourceAll(question),
    }
}

#[test]
fn a_cluster_is_asked_as_kubewarden_asks_it() {
    let cluster = Cluster::start();
    let live = online(&LiveOptions { kubeconfig: Some(cluster.kubeconfig()), ..LiveOptions::default() });

    let shop = json_of(live.answer(&object("Namespace", "shop", None))).expect("a Namespace");
    assert_eq!(shop["metadata"]["labels"]["team"], "shop");
    let Err(CapabilityError::Failed(message)) = live.answer(&object("Namespace", "nowhere", None)) else {
        panic!("found")
    };
    assert_eq!(message, "Cannot find v1/Namespace named 'nowhere' inside of namespace 'None'");

    let list = json_of(live.answer(&objects("ConfigMap", Some("shop"), Some("app=web")))).expect("a list");
    assert_eq!(list["kind"], "ConfigMapList");
    assert_eq!(list["items"][0]["kind"], "ConfigMap");
    assert_eq!(list["items"][0]["metadata"]["annotations"], json!({}));
    assert_eq!(list["items"][0]["metadata"]["managedFields"], json!([]));
    let path = "/api/v1/namespaces/shop/configmaps?&labelSelector=app%3Dweb";
    assert!(cluster.asked().contains(&format!("GET {path}")), "{:?}", cluster.asked());

    let review = Question::KubernetesCanI {
        request: AccessReview {
            groups: None,
            resource_attributes: ResourceAttributes {
                group: None,
                name: None,
                namespace: Some("shop".to_owned()),
                resource: "pods".to_owned(),
                subresource: Some("exec".to_owned()),
                verb: "create".to_owned(),
                version: None,
            },
            user: "jane".to_owned(),
        },
        disable_cache: false,
    };
    assert_eq!(json_of(live.answer(&review)), Ok(json!({ "allowed": true })));

    // What may not be read is not "not there".
    assert_eq!(json_of(live.answer(&object("Secret", "any", Some("shop")))), Err("unanswered"));
    assert_eq!(json_of(live.answer(&object("Unheard", "of", None))), Err("failed"));
    let asked = cluster.asked().len();
    json_of(live.answer(&object("Namespace", "shop", None))).expect("a Namespace");
    assert_eq!(cluster.asked().len(), asked, "asked twice");
}

#[test]
fn what_is_under_check_stands_in_front_of_the_cluster() {
    let cluster = Cluster::start();
    let checked = json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "web", "namespace": "shop", "labels": { "app": "web" } }, "data": { "a": "new" } });
    let manifests = host_runner::manifest::read_text("-", &checked.to_string());
    let world = World::of_checked(&manifests.objects, &Catalog::default(), "default");
    let options = LiveOptions { kubeconfig: Some(cluster.kubeconfig()), ..LiveOptions::default() };
    let world = Arc::new(world);
    let outside = Arc::new(Online::new(world.clone(), network(&options)));
    let live = Applied { world, outside };
    let list = json_of(live.answer(&objects("ConfigMap", Some("shop"), Some("app=web")))).expect("a list");
    assert_eq!(list["items"].as_array().map(Vec::len), Some(1));
    assert_eq!(list["items"][0]["data"]["a"], "new");
}

#[test]
fn a_cluster_that_is_away_is_no_answer() {
    let cluster = Cluster::start();
    let options = LiveOptions { kubeconfig: Some(cluster.kubeconfig()), ..LiveOptions::default() };
    let kubeconfig_of_nobody =
        fs::read_to_string(cluster.kubeconfig()).expect("a kubeconfig").replace(&cluster.host, "127.0.0.1:9");
    fs::write(cluster.kubeconfig(), kubeconfig_of_nobody).expect("written");
    assert_eq!(json_of(online(&options).answer(&object("Namespace", "shop", None))), Err("unanswered"));
    fs::write(cluster.kubeconfig(), "{}").expect("written");
    let Err(CapabilityError::Unanswered(message)) = online(&options).answer(&object("Namespace", "shop", None)) else {
        panic!("answered")
    };
    assert!(message.starts_with("Namespace shop is asked for, and there is no cluster to ask: "), "{message}");
}

#[test]
fn certificates_are_trusted_by_their_chain_at_their_time() {
    let authority = Authority::new();
    let (certificate, _) = authority.certify(&release_workflow());
    let pem = |text: &str| EncodedCertificate { encoding: Encoding::Pem, data: text.as_bytes().to_vec() };
    let live = online(&anonymous());
    let ask = |chain: Option<Vec<EncodedCertificate>>, not_after: Option<&str>| {
        let request =
            CertificateTrust { cert: pem(&certificate), cert_chain: chain, not_after: not_after.map(str::to_owned) };
        json_of(live.answer(&Question::CryptoIsCertificateTrusted { request })).expect("an answer")
    };
    let chain = || Some(vec![pem(authority.root_pem())]);
    let trusted = json!({ "trusted": true, "reason": "" });
    assert_eq!(ask(chain(), None), trusted);
    assert_eq!(ask(chain(), Some("")), trusted);
    assert_eq!(ask(chain(), Some("2030-01-01T00:00:00Z")), trusted);
    for (chain, not_after, reason) in [
        (chain(), Some("1970-01-01T00:00:00Z"), "Certificate is being used before its validity date"),
        (chain(), Some("4097-01-01T00:00:00Z"), "Certificate is being used after its expiration date"),
        (None, None, "Certificate not trusted: UnknownIssuer"),
        (Some(Vec::new()), None, "Certificate not trusted: UnknownIssuer"),
        (Some(vec![pem(Authority::new().root_pem())]), None, "Certificate is not trusted by the provided cert chain"),
    ] {
        assert_eq!(ask(chain, not_after), json!({ "trusted": false, "reason": reason }));
    }
    let unreadable = CertificateTrust { cert: pem("nonsense"), cert_chain: None, not_after: None };
    assert_eq!(json_of(live.answer(&Question::CryptoIsCertificateTrusted { request: unreadable })), Err("failed"));
}

#[test]
fn names_are_looked_up() {
    let live = online(&anonymous());
    let ask = |host: &str| json_of(live.answer(&Question::DnsLookupHost { host: host.to_owned() }));
    let addresses = ask("localhost").expect("an answer");
    assert!(addresses["ips"].as_array().is_some_and(|ips| ips.iter().any(|ip| ip == "127.0.0.1" || ip == "::1")));
    // Whether the resolver says so or is away depends on the machine; it is no address in any case.
    assert!(ask("no-such-host.invalid").is_err());
}
