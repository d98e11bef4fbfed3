//! An API server of a handful of answers, for what a client asks.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::{Value, json};
use tempfile::TempDir;

/// A running API server. Its thread lives as long as the test's process.
pub struct Cluster {
    /// `127.0.0.1:40123`.
    pub host: String,
    asked: Arc<Mutex<Vec<String>>>,
    folder: TempDir,
}

impl Cluster {
    /// Starts one.
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let host = listener.local_addr().expect("an address").to_string();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let log = asked.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let log = log.clone();
                thread::spawn(move || serve(stream, &log));
            }
        });
        let folder = tempfile::tempdir().expect("a folder");
        let kubeconfig = json!({
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "test",
            "contexts": [{ "name": "test", "context": { "cluster": "test", "user": "test" } }],
            "clusters": [{ "name": "test", "cluster": { "server": format!("http://{host}") } }],
            "users": [{ "name": "test", "user": {} }],
        });
        fs::write(folder.path().join("kubeconfig"), kubeconfig.to_string()).expect("written");
        Cluster { host, asked, folder }
    }

    /// A kubeconfig that leads here.
    pub fn kubeconfig(&self) -> PathBuf {
        self.folder.path().join("kubeconfig")
    }

    /// What was asked so far: `GET /api/v1/…`.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().expect("a log").clone()
    }
}

fn serve(stream: TcpStream, log: &Mutex<Vec<String>>) {
    let mut writer = stream.try_clone().expect("a stream");
    let mut reader = BufReader::new(stream);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or(0) == 0 {
            return;
        }
        let mut length = 0;
        loop {
            let mut header = String::new();
            if reader.read_line(&mut header).unwrap_or(0) == 0 {
                return;
            }
            if let Some(value) = header.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap_or(0);
            }
            if header.trim().is_empty() {
                break;
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).expect("a body");
        let asked = line.trim().trim_end_matches(" HTTP/1.1").to_owned();
        let (status, answer) = answer(&asked);
        log.lock().expect("a log").push(asked);
        let answer = answer.to_string();
        let head = format!(
            "HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            answer.len()
        );
        if writer.write_all(format!("{head}{answer}").as_bytes()).is_err() {
            return;
        }
    }
}

fn answer(asked: &str) -> (u16, Value) {
    let resource = |name: &str, kind: &str, namespaced: bool| json!({ "name": name, "singularName": "", "namespaced": namespaced, "kind": kind, "verbs": ["get", "list"] });
    let path = asked.split('?').next().unwrap_or(asked);
    match path {
        "GET /api/v1" => (
            200,
            json!({ "kind": "APIResourceList", "groupVersion": "v1", "resources": [
                resource("namespaces", "Namespace", false),
                resource("configmaps", "ConfigMap", true),
                resource("secrets", "Secret", true),
            ] }),
        ),
        "GET /api/v1/namespaces/shop" => (
            200,
            json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": "shop", "labels": { "team": "shop" } } }),
        ),
        // Items of a typed list do not say what they are.
        "GET /api/v1/namespaces/shop/configmaps" => (
            200,
            json!({ "apiVersion": "v1", "kind": "ConfigMapList", "metadata": {}, "items": [
                { "metadata": { "name": "web", "namespace": "shop", "labels": { "app": "web" }, "managedFields": [{}] }, "data": { "a": "old" } },
            ] }),
        ),
        "POST /apis/authorization.k8s.io/v1/subjectaccessreviews" => (
            201,
            json!({ "apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "status": { "allowed": true } }),
        ),
        _ if path.contains("/secrets/") => (403, status(403, "Forbidden")),
        _ => (404, status(404, "NotFound")),
    }
}

fn status(code: u16, reason: &str) -> Value {
    json!({ "apiVersion": "v1", "kind": "Status", "status": "Failure", "reason": reason, "message": reason, "code": code })
}
