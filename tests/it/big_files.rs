//! Large files on the embedded server: taken, given, written out and read in piece by piece.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use futures_util::stream;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

const MIB: usize = 1 << 20;
/// Large beside what the server takes without any file.
const FILE: usize = 48 * MIB;
/// What it may take more while the file goes in and out.
const ROOM: u64 = 24;

/// `coracle serve` as a process, spoken to in plain HTTP.
struct Served {
    child: Child,
    address: String,
    client: reqwest::Client,
    runtime: tokio::runtime::Runtime,
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Served {
    fn start(home: &Path, arguments: &[&str]) -> Self {
        coracle::confluence::client::choose_cryptography();
        let mut child = Command::new(env!("CARGO_BIN_EXE_coracle"))
            .args(["serve", "--port", "0"])
            .args(arguments)
            .env_clear()
            .env("HOME", home)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let mut line = String::new();
        let mut told = BufReader::new(child.stdout.take().expect("its output"));
        told.read_line(&mut line).expect("it tells its address");
        Self {
            child,
            address: line.trim().to_owned(),
            client: reqwest::Client::builder()
                .no_proxy()
                .build()
                .expect("a client"),
            runtime: tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime"),
        }
    }

    fn url(&self, path: &str) -> String {
        format!("{}/rest/api{path}", self.address)
    }

    fn send(&self, request: reqwest::RequestBuilder) -> Value {
        let bytes = self.runtime.block_on(async {
            let answer = request.send().await.expect("an answer");
            answer.bytes().await.expect("a body")
        });
        serde_json::from_slice(&bytes).unwrap_or_default()
    }

    fn get(&self, path: &str) -> Value {
        self.send(self.client.get(self.url(path)))
    }

    /// Takes a body piece by piece, and says its hash and length.
    fn takes(&self, address: &str, mut piece: impl FnMut(&[u8])) -> (Vec<u8>, usize) {
        let (mut hash, mut length) = (Sha256::new(), 0);
        self.runtime.block_on(async {
            let mut answer = self.client.get(address).send().await.expect("an answer");
            assert_eq!(answer.status(), 200, "{address}");
            while let Some(bytes) = answer.chunk().await.expect("a piece") {
                hash.update(&bytes);
                length += bytes.len();
                piece(&bytes);
            }
        });
        (hash.finalize().to_vec(), length)
    }

    /// Sends a form with one file, piece by piece.
    fn sends(&self, path: &str, pieces: impl Iterator<Item = Vec<u8>> + Send + 'static) -> Value {
        let head =
            b"--edge\r\ncontent-disposition: form-data; name=\"file\"; filename=\"f.bin\"\r\n\r\n";
        let form = std::iter::once(head.to_vec())
            .chain(pieces)
            .chain(std::iter::once(b"\r\n--edge--\r\n".to_vec()));
        let form = stream::iter(form.map(Ok::<_, std::io::Error>));
        let request = self
            .client
            .post(self.url(path))
            .header("content-type", "multipart/form-data; boundary=edge")
            .header("X-Atlassian-Token", "no-check")
            .body(reqwest::Body::wrap_stream(form));
        self.send(request)
    }

    fn follow(&self, job: &Value) {
        for _ in 0..100_000 {
            let now = self.get(&format!("/backup-restore/jobs/{}", job["id"]));
            match now["jobState"].as_str() {
                Some("FINISHED") => return,
                Some("FAILED" | "CANCELLED") | None => panic!("{now}"),
                _ => {}
            }
        }
        panic!("the job does not end");
    }

    /// The most memory that it has had, in MiB.
    fn peak(&self) -> u64 {
        let path = format!("/proc/{}/status", self.child.id());
        let status = std::fs::read_to_string(path).expect("its status");
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = peak.and_then(|it| it.trim().strip_suffix(" kB")?.parse::<u64>().ok());
        kib.expect("its peak") / 1024
    }
}

/// The link of the only file of this name.
fn file_of(served: &Served, page: &Value) -> String {
    let path = format!(
        "/content/{}/child/attachment?filename=f.bin",
        page.as_str().expect("an id")
    );
    let list = served.get(&path);
    let found = list["results"].as_array().expect("files");
    let file = found.iter().find(|it| it["title"] == "f.bin");
    let link = &file.expect("it is there")["_links"]["download"];
    format!("{}{}", served.address, link.as_str().expect("a link"))
}

#[test]
fn the_server_holds_no_file_in_memory() {
    let home = tempfile::tempdir().expect("a folder");
    let served = Served::start(home.path(), &[]);
    let page = served.get("/content?spaceKey=ENG&type=page&limit=1&expand=space");
    let page = page["results"][0].clone();
    let before = served.peak();
    let pieces = (0..FILE / MIB).map(|n| vec![n as u8; MIB]);
    let whole = pieces.clone().fold(Sha256::new(), Sha256::chain_update);
    let whole = (whole.finalize().to_vec(), FILE);
    let id = page["id"].as_str().expect("an id");
    let made = served.sends(&format!("/content/{id}/child/attachment"), pieces);
    assert_eq!(made["size"], 1, "{made}");
    assert_eq!(served.takes(&file_of(&served, &page["id"]), |_| {}), whole);

    let body = json!({"spaceKeys": ["ENG"]}).to_string();
    let asked = served
        .client
        .post(served.url("/backup-restore/backup/space"));
    let job = served.send(asked.body(body));
    served.follow(&job);
    let path = home.path().join("space.zip");
    let mut file = std::fs::File::create(&path).expect("a file");
    let address = served.url(&format!("/backup-restore/jobs/{}/download", job["id"]));
    served.takes(&address, |bytes| file.write_all(bytes).expect("written"));
    served.send(served.client.delete(served.url("/space/ENG")));
    for _ in 0..100 {
        served.get("/space/ENG");
    }
    let mut file = std::fs::File::open(&path).expect("the file");
    let pieces = std::iter::from_fn(move || {
        use std::io::Read as _;
        let mut piece = vec![0; MIB];
        let read = file.read(&mut piece).expect("a piece");
        piece.truncate(read);
        (read > 0).then_some(piece)
    });
    let job = served.sends("/backup-restore/restore/space/upload", pieces);
    served.follow(&job);
    let title = page["title"].as_str().expect("a title").replace(' ', "%20");
    let again = served.get(&format!("/content?spaceKey=ENG&title={title}"));
    let again = &again["results"][0]["id"];
    assert_ne!(again, &page["id"], "it was read in anew");
    assert_eq!(served.takes(&file_of(&served, again), |_| {}), whole);
    let more = served.peak() - before;
    assert!(more < ROOM, "{more} MiB more, {before} before");
}
