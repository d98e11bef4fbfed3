//! A real registry on this machine, for as long as a test runs: Debian's `docker-registry`.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use oci_client::client::{Certificate, CertificateEncoding, ClientConfig, ClientProtocol};
use oci_client::secrets::RegistryAuth;
use oci_client::{Client, Reference};
use serde_json::json;
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::images::{Image, sha256};
use crate::signing::{self, Signed};

/// A running registry; it ends with the value.
pub struct Registry {
    process: Child,
    folder: TempDir,
    /// `127.0.0.1:40123`.
    pub host: String,
    certificate: Option<String>,
    auth: RegistryAuth,
}

/// How a registry is run.
#[derive(Default)]
pub struct Setup {
    /// Certificate and key, PEM; without them the registry speaks plain HTTP.
    pub tls: Option<(String, String)>,
    /// Whether it asks for [`USER`] and [`PASSWORD`].
    pub wants_password: bool,
}

/// The user of a registry that wants a password.
pub const USER: &str = "robot";
/// The password of that user.
pub const PASSWORD: &str = "secret";
/// `htpasswd -nbB -C 4 robot secret`
const HTPASSWD: &str = "robot:$2y$04$v1KkEf4ZYlYbdnLUceWetuRJw8JnRWMeE2mjwV.Pb4D/eCJF./6a2\n";

/// Starts a registry; `None`, with a line that says so, where none is installed.
#[expect(clippy::print_stdout, reason = "a test that tests nothing says so")]
pub fn start(setup: &Setup) -> Option<Registry> {
    let Some(program) = program() else {
        println!("docker-registry is not installed (apt-get install docker-registry): nothing tested");
        return None;
    };
    let folder = tempfile::tempdir().expect("a folder");
    for _ in 0..5 {
        let port = TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a port").port();
        let host = format!("127.0.0.1:{port}");
        let config = write_config(folder.path(), &host, setup);
        let log = fs::File::create(folder.path().join("log")).expect("a log");
        let mut process = Command::new(&program)
            .arg("serve")
            .arg(config)
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("a registry");
        if answers(&host, &mut process) {
            return Some(Registry {
                process,
                folder,
                host,
                certificate: setup.tls.as_ref().map(|(certificate, _)| certificate.clone()),
                auth: if setup.wants_password {
                    RegistryAuth::Basic(USER.to_owned(), PASSWORD.to_owned())
                } else {
                    RegistryAuth::Anonymous
                },
            });
        }
        // Somebody else was quicker to take the port.
        drop(process.kill());
        drop(process.wait());
    }
    panic!("{}", fs::read_to_string(folder.path().join("log")).unwrap_or_default());
}

fn program() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join("docker-registry")).find(|program| program.is_file())
}

fn write_config(folder: &Path, host: &str, setup: &Setup) -> PathBuf {
    let mut config = json!({
        "version": "0.1",
        "log": { "level": "warn" },
        "storage": { "filesystem": { "rootdirectory": folder.join("data") } },
        "http": { "addr": host },
    });
    if let Some((certificate, key)) = &setup.tls {
        let (certificate_file, key_file) = (folder.join("cert.pem"), folder.join("key.pem"));
        fs::write(&certificate_file, certificate).expect("written");
        fs::write(&key_file, key).expect("written");
        config["http"]["tls"] = json!({ "certificate": certificate_file, "key": key_file });
    }
    if setup.wants_password {
        let file = folder.join("htpasswd");
        fs::write(&file, HTPASSWD).expect("written");
        config["auth"] = json!({ "htpasswd": { "realm": "test", "path": file } });
    }
    // JSON is YAML.
    let file = folder.join("config.yml");
    fs::write(&file, config.to_string()).expect("written");
    file
}

fn answers(host: &str, process: &mut Child) -> bool {
    for _ in 0..200 {
        if TcpStream::connect(host).is_ok() {
            return matches!(process.try_wait(), Ok(None));
        }
        if !matches!(process.try_wait(), Ok(None)) {
            return false;
        }
        sleep(Duration::from_millis(50));
    }
    false
}

impl Registry {
    fn client(&self) -> Client {
        let certificates = self.certificate.iter().map(|certificate| Certificate {
            encoding: CertificateEncoding::Pem,
            data: certificate.clone().into_bytes(),
        });
        Client::new(ClientConfig {
            protocol: if self.certificate.is_some() { ClientProtocol::Https } else { ClientProtocol::Http },
            extra_root_certificates: certificates.collect(),
            ..ClientConfig::default()
        })
    }

    /// Pushes an image with all that belongs to it.
    pub fn push(&self, image: &Image) {
        runtime().block_on(async {
            let client = self.client();
            let reference = self.reference(&format!("{}:{}", image.repository, image.tag));
            client.store_auth_if_needed(reference.registry(), &self.auth).await;
            for blob in image.blobs() {
                let digest = sha256(&blob);
                client.push_blob(&reference, blob, &digest).await.expect("a pushed blob");
            }
            for (name, media_type, body) in image.manifests() {
                let reference = self.reference(&name);
                let media_type = media_type.parse().expect("a media type");
                client.push_manifest_raw(&reference, body, media_type).await.expect("a pushed manifest");
            }
        });
    }

    /// Puts signatures beside what has this digest.
    pub fn push_signatures(&self, repository: &str, digest: &str, signatures: &[Signed]) {
        let (body, blobs) = signing::manifest(signatures);
        let reference = self.reference(&format!("{repository}:{}", signing::tag_of(digest)));
        runtime().block_on(async {
            let client = self.client();
            client.store_auth_if_needed(reference.registry(), &self.auth).await;
            for blob in blobs {
                let digest = sha256(&blob);
                client.push_blob(&reference, blob, &digest).await.expect("a pushed blob");
            }
            let media_type = "application/vnd.oci.image.manifest.v1+json".parse().expect("a media type");
            client.push_manifest_raw(&reference, body, media_type).await.expect("a pushed manifest");
        });
    }

    /// Damages what the registry keeps: it knows its manifests and can read no other blob any more.
    pub fn lose_blobs(&self) {
        let blobs = self.folder.path().join("data/docker/registry/v2/blobs/sha256");
        let mut kept = 0;
        for data in blobs_below(&blobs) {
            if fs::read_to_string(&data).is_ok_and(|text| text.contains("schemaVersion")) {
                kept += 1;
            } else {
                fs::remove_file(&data).expect("removed");
                fs::create_dir(&data).expect("a folder in its place");
            }
        }
        assert!(kept > 0);
    }

    /// The reference of something in this registry.
    pub fn reference(&self, name: &str) -> Reference {
        format!("{}/{name}", self.host).parse().expect("a reference")
    }
}

/// The files named `data` below a folder.
fn blobs_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        match entry.path() {
            path if path.is_dir() => found.extend(blobs_below(&path)),
            path if path.ends_with("data") => found.push(path),
            _ => {}
        }
    }
    found
}

/// For what is asked asynchronously.
pub fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime")
}

impl Drop for Registry {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
        // The folder goes with it.
        let _ = &self.folder;
    }
}
