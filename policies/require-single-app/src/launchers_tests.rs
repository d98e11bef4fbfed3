use super::*;
use crate::arg::args;

fn run(line: &str) -> String {
    let line = args(&line.split(' ').collect::<Vec<_>>());
    let name = line[0].program().unwrap_or_default();
    match run_by(name, &line) {
        None => "no launcher".to_owned(),
        Some(Run::Nothing) => "nothing".to_owned(),
        Some(Run::Unknown) => "unknown".to_owned(),
        Some(Run::Script(text)) => format!("script {}", text.shown()),
        Some(Run::Command(line)) => line.iter().map(Arg::shown).collect::<Vec<_>>().join(" "),
    }
}

#[test]
fn launchers_give_way_to_what_they_run() {
    for (line, expected) in [
        ("tini -- app a", "app a"),
        ("/sbin/tini -sg -p SIGTERM -- app", "app"),
        ("tini -pSIGTERM app", "app"),
        ("tini -e 143 app", "app"),
        ("dumb-init --rewrite 15:3 app", "app"),
        ("dumb-init -r 15:3 -c app", "app"),
        ("catatonit -P", "nothing"),
        ("/pause", "nothing"),
        ("env -i A=b -u C app D=e", "app D=e"),
        ("env -S app", "app"),
        ("env", "nothing"),
        ("nice -n 10 app", "app"),
        ("nice -10 app", "app"),
        ("gosu user:group app -x", "app -x"),
        ("su-exec 1000 app", "app"),
        ("setpriv --reuid=1000 --regid 1000 --clear-groups app", "app"),
        ("chroot --userspec=a /root app", "app"),
        ("stdbuf -oL app", "app"),
        ("stdbuf -o L app", "app"),
        ("timeout -k 5 30 app", "app"),
        ("sudo -E -u app A=b app -u x", "app -u x"),
        ("su app -c app", "script app"),
        ("runuser -u user -- app", "app"),
        ("runuser user -c app", "script app"),
        ("busybox sh -c x", "sh -c x"),
        ("/tekton/bin/entrypoint -wait_file /x -entrypoint app -- a b", "app a b"),
        ("entrypoint --serve", "no launcher"),
        ("/var/run/argo/argoexec emissary --loglevel info -- app a", "app a"),
        ("/cnb/lifecycle/launcher", "unknown"),
        ("/cnb/lifecycle/launcher app a", "app a"),
        ("vault-env app", "app"),
        ("doppler run -- app", "app"),
        ("doppler run --command app", "script app"),
        ("chamber exec service -- app", "app"),
        ("chamber exec service", "unknown"),
        ("aws-vault exec prod -- app", "app"),
        ("dotenv -e .env -- app", "app"),
        ("dotenv run app", "app"),
        ("env -S A=b", "nothing"),
        ("chpst -u user -0 app", "app"),
        ("taskset -c 0 app", "app"),
        ("bundle exec puma", "puma"),
        ("uv run --no-sync app", "app"),
        ("with-contenv app", "app"),
        ("java -jar x", "no launcher"),
    ] {
        assert_eq!(run(line), expected, "{line}");
    }
}

#[test]
fn what_is_not_known_may_be_the_program() {
    let mut unknown = Arg::empty();
    unknown.push_unknown("$(OPTIONS)");
    let line = [Arg::known("tini"), unknown.clone(), Arg::known("app")];
    assert_eq!(run_by("tini", &line), Some(Run::Unknown));
    let line = [Arg::known("tini"), unknown.clone(), Arg::known("--"), Arg::known("app")];
    assert_eq!(run_by("tini", &line), Some(Run::Command(args(&["app"]))));
    let line = [Arg::known("gosu"), unknown, Arg::known("app")];
    assert_eq!(run_by("gosu", &line), Some(Run::Command(args(&["app"]))));
}
