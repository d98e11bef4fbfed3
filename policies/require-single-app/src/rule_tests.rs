use std::cell::Cell;

use policy_kit::{Json, Policy, Request, read_settings};
use proptest::prelude::*;

use super::*;

/// Counts what it is asked, and answers nothing.
#[derive(Default)]
struct Silent(Cell<usize>);

impl Host for Silent {
    fn call(&self, _: &str, _: &str, _: &[u8]) -> Result<Vec<u8>, String> {
        self.0.set(self.0.get() + 1);
        Err("nobody is there".to_owned())
    }

    fn now(&self) -> i64 {
        0
    }
}

fn judge(request: &str, settings: &str) -> Verdict {
    let request = Request::read(Json::parse(request).expect("JSON")).expect("a request");
    let settings = read_settings(&Json::parse(settings).expect("JSON")).expect("settings");
    RequireSingleApp::judge(&request, &settings, &Silent::default())
}

fn pod(spec: &serde_json::Value) -> String {
    let kind = r#""operation":"CREATE","kind":{"group":"","kind":"Pod"}"#;
    format!(r#"{{{kind},"object":{{"spec":{spec}}}}}"#)
}

fn container(command: &[&str]) -> serde_json::Value {
    serde_json::json!({ "containers": [{ "name": "web", "image": "r.io/web", "command": command }] })
}

/// What the verdict is about a command: rejected, warned or accepted.
fn answer(command: &[&str]) -> &'static str {
    let verdict = judge(&pod(&container(command)), "{}");
    match (verdict.violations.is_empty(), verdict.warnings.is_empty()) {
        (false, _) => "rejected",
        (true, false) => "warned",
        (true, true) => "accepted",
    }
}

#[test]
fn one_app_is_accepted() {
    for command in [
        &["/app"][..],
        &["java", "-jar", "app.jar"],
        &["nginx", "-g", "daemon off;"],
        &["nginx"],
        &["gunicorn", "-w", "4", "app:app"],
        &["postgres", "-D", "/data"],
        &["tini", "--", "app"],
        &["dumb-init", "--", "sh", "-c", "exec app"],
        &["sh", "-c", "exec app"],
        &["sh", "-ec", "migrate && exec app"],
        &["bash", "-eo", "pipefail", "-c", "cd /x; exec ./app"],
        &["bash", "-c", "set -- app \"$@\"; exec \"$@\"", "--", "x"],
        &["sh", "-c", "exec \"$@\"", "sh", "app"],
        &["sh", "-c", "exec \"$JAVA_HOME/bin/java\" $JAVA_OPTS -jar app.jar"],
        &["sh", "-c", "echo a | base64 -d > /x; exec app"],
        &["sh", "-c", "until nc -z db 5432; do sleep 1; done; exec app"],
        &["sh", "-c", "if [ -n \"$X\" ]; then exec a; else exec b; fi"],
        &["sh", "-c", "case $X in a) exec a ;; *) exec b ;; esac"],
        &["sh", "-c", "main() { exec app \"$@\"; }; main a b"],
        &["sh", "-c", "exec app > /log 2>&1"],
        &["sh", "-c", "exec 2>&1; exec app"],
        &["sh", "-c", "exec app 'a & b' \"c & d\" e\\&f"],
        &["sh", "-c", "cat > /x <<EOF\na & b\nEOF\nexec app"],
        &["sh", "-c", "test -f /x && exec app || exit 1"],
        &["sh", "-c", "while true; do ready && exec app; sleep 1; done"],
        &["sh", "-c", "echo nothing else"],
        &["sh", "-c", "eval 'exec app'"],
        &["sh", "-c", "APP=/usr/bin/web\nexec $APP --port 80"],
        &["tail", "-F", "/var/log/app.log"],
        &["/pause"],
        &["python", "-m", "myapp.supervisor.main"],
        &["/app/service", "worker", "start"],
        &["caddy", "run", "--config", "start"],
        &["/app/sem", "run"],
        &["sh", "-c", "pgrep supervisord; exec app"],
        &["python", "app.py"],
        &["kubectl", "wait", "pod/x"],
    ] {
        assert_eq!(answer(command), "accepted", "{command:?}");
    }
}

#[test]
fn what_cannot_be_judged_in_full_is_told() {
    for command in [
        &["sh", "-c", "app"][..],
        &["sh", "-c", "migrate && app"],
        &["sh", "-c", "app || exit 1"],
        &["sh", "-c", "app; echo done"],
        &["sh", "-c", "(exec app)"],
        &["sh", "-c", "exec $APP"],
        // Who knows which of them it is.
        &["sh", "-c", "[ -n \"$APP\" ] || APP=web; exec $APP"],
        &["sh", "-c", "APP=web; [ -f /x ] && APP=other; exec $APP"],
        &["sh", "-c", "exec $APP; APP=web"],
        &["sh", "-c", "APP=web; read APP; exec $APP"],
        &["sh", "-c", "(APP=web); exec $APP"],
        &["sh", "-c", "APP=web true; exec $APP"],
        &["sh", "-c", "CMD='exec app'; eval \"$CMD\""],
        &["sh", "-c", "echo \"$X\" | { sh; }; exec web"],
        &["sh", "-c", "echo \"$X\" | if :; then sh; fi; exec web"],
        &["sh", "-c", "f() { sh; }; echo \"$X\" | f; exec web"],
        &["sh", "-c", "echo \"$X\" | eval sh; exec web"],
        &["sh", "-c", "exec 3</x; sh <&3; exec web"],
        &["sh", "-c", "exec </x; sh; exec web"],
        &["sh", "-c", "C=\"/usr/bin/supervis*\"; exec $C"],
        &["sh", "-c", "IFS=x; C='shx-cxhelper'; exec $C"],
        &["sh", "-c", "C='h -c'; exec s$C 'helper & exec web'"],
        &["sh", "-c", "APP=web; export AP'P'=supervisord; exec $APP"],
        &["sh", "-c", "APP=web; A=AP; r'ea'd ${A}P; exec $APP"],
        &["sh", "-c", "APP=web; $R AP$X; exec $APP"],
        &["bash", "-c", "C=~/supervisord; exec $C"],
        &["sh", "-c", "exec $0", "/usr/bin/supervis*"],
        &["sh", "-c", ". /vault/secrets/env; exec app"],
        &["sh", "-c", "eval \"$X\""],
        &["sh", "-c", "exec /usr/bin/super*"],
        &["sh", "/start.sh"],
        &["docker-entrypoint.sh", "postgres"],
        &["cmd", "/c", "start", "app"],
        &["powershell", "-Command", "app"],
        &["fish", "-c", "app"],
        &["npm", "start"],
        &["yarn", "start"],
        &["mvn", "spring-boot:run"],
        &["npx", "vite"],
        &["crond", "-f"],
        &["supercronic", "/crontab"],
        &["chamber", "exec", "x"],
        &["sh", "-c", "app &> /log"],
    ] {
        assert_eq!(answer(command), "warned", "{command:?}");
    }
}

#[test]
fn what_starts_several_is_rejected() {
    for command in [
        &["supervisord", "-n"][..],
        &["tini", "--", "supervisord"],
        &["env", "A=b", "gosu", "app", "/usr/bin/supervisord"],
        &["sh", "-c", "exec supervisord"],
        &["sh", "-c", "exec \"super\"visord"],
        &["sh", "-c", "exec \"$0\" \"$@\"", "supervisord", "-n"],
        &["sh", "-c", "X=1 supervisord"],
        &["docker-entrypoint.sh", "supervisord"],
        &["docker-entrypoint.sh", "sh", "-c", "a & b"],
        &["wait-for-it.sh", "db:5432", "--", "sh", "-c", "a & b"],
        &["wait-for-it.sh", "db:5432", "--", "supervisord"],
        &["docker-entrypoint.sh", "supervisord", "sh"],
        &["docker-entrypoint.sh", "sh", "-c", "a | b"],
        &["npx", "concurrently", "a", "b"],
        &["npm", "exec", "--", "concurrently", "a"],
        &["pm2-runtime", "x.js"],
        &["sh", "-c", "a & b"],
        &["sh", "-c", "exec app &"],
        &["sh", "-c", "a | tee log"],
        &["sh", "-c", "exec a | tee log"],
        &["sh", "-c", "a | b; echo done"],
        &["sh", "-c", "exec app > >(tee log)"],
        &["bash", "-c", "exec > >(tee log) 2>&1; exec app"],
        &["bash", "-c", "coproc a; exec b"],
        &["sh", "-c", "f() { a & }; f; exec b"],
        &["sh", "-c", "f() { a | b; }; f"],
        &["sh", "-c", "run() { \"$@\"; }; run a; run supervisord"],
        &["sh", "-c", "APP='supervisord -n'; exec $APP"],
        &["sh", "-c", "CMD='a &'; eval \"$CMD\"; exec b"],
        // Launchers in all their ways.
        &["flock", "/tmp/l", "-c", "helper & exec web"],
        &["script", "-qc", "helper & exec web", "/dev/null"],
        &["sops", "exec-env", "--pristine", "s.env", "helper & exec web"],
        &["bash-static", "-c", "helper & exec web"],
        &["bash", "-c", "x=$(: <<E\nE)\nhelper &\nexec web\nE\n)\n"],
        &["sh", "-c", "sudo -b helper; exec web"],
        &["su", "app", "-chelper & exec web"],
        &["sops", "exec-file", "s.env", "supervisord -n"],
        &["consul-template", "-template", "a:b", "-exec", "supervisord -n"],
        &["doppler", "run", "--", "supervisord", "--command=web"],
        &["catatonit", "--", "sh", "-c", "helper & exec web", "sh", "-P"],
        &["env", "A=1", "sh", "-c", "helper & exec web", "-Sx"],
        &["env", "-uSX", "supervisord", "-n"],
        &["npx", "-c", "helper & web"],
        &["npm", "exec", "-c", "helper & web"],
        // Supervisors, by whatever starts them.
        &["npx", "concurrently@8", "a", "b"],
        &["npx", "-p", "pm2", "pm2-runtime", "app.js"],
        &["yarn", "concurrently", "a"],
        &["bun", "run", "concurrently", "a"],
        &["node", "-r", "dotenv/config", "node_modules/.bin/pm2-runtime", "x.js"],
        &["python", "-W", "ignore", "/usr/bin/supervisord"],
        &["python3", "-X", "dev", "-m", "supervisor.supervisord"],
        &["xvfb-run", "supervisord"],
        &["flock", "/tmp/l", "supervisord", "-n"],
        &["sh", "-c", "cat /list | xargs -I {} -P 4 job {}; exec web"],
        &["sh", "-c", "cat /list | xargs -0P4 job; exec web"],
        &["//init"],
        &["/sbin/../init"],
        // What shells read differently.
        &["bash", "-c", ": $\\\n(helper >/dev/null &); exec web"],
        &["sh", "-c", ": <<EOF\nEOF\\\n\nhelper &\nexec web\nEOF\n"],
        &["sh", "-c", ": <<EOF\nE\\\nOF\nhelper &\nexec web\nEOF\n"],
        &["bash", "-c", "x=$(: <<E)\nhelper &\nexec web\nE\n"],
        &["bash", "-c", ": $((echo '))' ; helper >/dev/null & echo \"'\") ) ; exec web #\"\n"],
        &["sh", "-c", "[[ -z 1 || supervisord ]]"],
        &["bash", "-c", "time -- supervisord -n"],
        &["bash", "-c", "{fd}>/dev/null supervisord -n"],
        &["bash", "-c", "exec -ca web supervisord -n"],
        &["bash", "-c", ": ${x:-$'\\''}; helper & exec web #'}"],
        &["sh", "-c", ": \"${x#'}\"'}\"; helper & exec web #'"],
        &["bash", "-c", "true || : $[ 1 # ]; helper & exec web"],
        &["bash", "-c", "declare -A a=([x # ]=1); helper & exec web\n)"],
        &["sh", "-c", "alias x='#'\nx '\nhelper &\nx '\nexec web"],
        &["dash", "+c", "helper & exec web"],
        &["bash", "-c", ": ${x:-a <(supervisord)}; exec web"],
        &["sh", "-c", "helper &>/dev/null exec web"],
        &["sh", "-c", ": $(helper >/dev/null & X_PORT); exec web"],
        // What a group, a function or a text reads, the shell in it reads.
        &["sh", "-c", "sh <<A 3<<B\nhelper &\nexec web\nA\nexec web\nB\n"],
        &["sh", "-c", "exec <<E\nhelper &\nE\nsh\nexec web"],
        &["sh", "-c", "{ sh; exec web; } <<E\nhelper &\nE\n"],
        &["sh", "-c", "(sh) <<E\nhelper &\nE\nexec web"],
        &["sh", "-c", "if :; then sh; fi <<E\nhelper &\nE\nexec web"],
        &["sh", "-c", "f() { sh; }\nf <<E\nhelper &\nE\nexec web"],
        &["sh", "-c", "eval sh <<E\nhelper &\nE\nexec web"],
        // Arguments that move are judged as they are given, and as they seem to be.
        &["sh", "-c", "exec sh -c \"$*\"", "x", "helper", "&", "exec web"],
        &["sh", "-c", "(set -- web); exec \"$@\"", "x", "supervisord", "-n"],
        &["sh", "-c", "if false; then set -- web; fi; exec \"$@\"", "x", "supervisord", "-n"],
        &["sh", "-c", "false && shift; exec \"$@\"", "x", "supervisord", "web"],
        &["sh", "-c", "while [ $# -gt 1 ]; do shift; done; exec \"$1\"", "x", "a", "web", "supervisord"],
        &["sh", "-c", "eval \"set -- supervisord -n\"; exec \"$@\"", "x", "web"],
        &["sh", "-c", ". /env; exec \"$@\"", "x", "supervisord"],
        &["sh", "-c", "set -- supervisord; exec \"$@\""],
        &["sh", "-c", "eval 'a &'; exec b"],
        &["sh", "-c", "eval \"a\" '&'; exec b"],
        &["sh", "-c", "trap 'a &' EXIT; exec b"],
        &["sh", "-c", "alias x='a &'\nx\nexec b"],
        &["sh", "-c", "sh -c 'a & b'; exec c"],
        &["sh", "-c", "sh <<'E'\na &\nE\nexec b"],
        &["sh", "-c", "bash <<< 'a & b'; exec c"],
        &["sh", "-c", "x=$(a & b); exec c"],
        &["sh", "-c", "find / -exec sh -c 'a & b' \\; ; exec c"],
        &["sh", "-c", "nohup a; exec b"],
        &["setsid", "app"],
        &["sh", "-c", "a; wait"],
        &["sh", "-c", "ls | xargs -P 4 app"],
        &["parallel", "a"],
        &["sh", "-c", "php-fpm -D && nginx -g 'daemon off;'"],
        &["sh", "-c", "nginx; exec app"],
        &["sh", "-c", "service nginx start && tail -f /log"],
        &["sh", "-c", "/etc/init.d/cron start; exec app"],
        &["sh", "-c", "crond && exec app"],
        &["sh", "-c", "/usr/sbin/sshd; exec app"],
        &["sh", "-c", "sudo service ssh start; exec app"],
        &["tail", "-f", "/dev/null"],
        &["sleep", "infinity"],
        &["cat"],
        &["sh"],
        &["bash", "-l"],
        &["sh", "-c", "exec sleep infinity"],
        &["sh", "-c", "app; sleep infinity"],
        &["sh", "-c", "while true; do job; sleep 60; done"],
        &["sh", "-c", "while true; do job || exit 1; sleep 60; done"],
        &["sh", "-c", "while sleep 60; do job; done"],
        &["sh", "-c", "for ((;;)); do job; done"],
        &["sh", "-c", "until false; do job; done"],
        &["sh", "-c", "if"],
        &["sh", "-c", "a 'b"],
        &["timeout", "60", "sh", "-c", "a & b"],
        &["su", "app", "-c", "a & b"],
        &["busybox", "sh", "-c", "a & b"],
        &["/tekton/bin/entrypoint", "-entrypoint", "sh", "--", "-c", "a & b"],
        &["argoexec", "emissary", "--", "bash", "-c", "a & b"],
        &["env", "-S", "supervisord -n"],
        &["/init"],
    ] {
        assert_eq!(answer(command), "rejected", "{command:?}");
    }
}

#[test]
fn init_containers_and_tasks_may_do_one_thing_after_another() {
    let init = |command: &[&str]| {
        serde_json::json!({ "containers": [{ "name": "web", "image": "r.io/web", "command": ["app"] }],
            "initContainers": [{ "name": "setup", "image": "r.io/setup", "command": command }] })
    };
    let task = |command: &[&str]| {
        let mut spec = container(command);
        spec["restartPolicy"] = "OnFailure".into();
        spec
    };
    for script in ["a; b", "a && b", "dump | gzip > /x", "until a; do sleep 1; done", "app"] {
        for spec in [init(&["sh", "-c", script]), task(&["sh", "-c", script])] {
            assert_eq!(judge(&pod(&spec), "{}"), Verdict::default(), "{spec}");
        }
    }
    for script in ["a & b", "supervisord", "service x start; a", "nohup a"] {
        for spec in [init(&["sh", "-c", script]), task(&["sh", "-c", script])] {
            assert_eq!(judge(&pod(&spec), "{}").violations.len(), 1, "{spec}");
        }
    }
    // A debugger waits for input, and an init container for something else. A task does neither.
    assert_eq!(judge(&pod(&init(&["sh"])), "{}"), Verdict::default());
    for command in [&["sleep", "infinity"][..], &["sh", "-c", "while true; do a; sleep 60; done"]] {
        assert!(judge(&pod(&init(command)), "{}").violations.is_empty(), "{command:?}");
        assert!(!judge(&pod(&task(command)), "{}").violations.is_empty(), "{command:?}");
    }
}

#[test]
fn agents_of_ci_wait_for_their_steps() {
    let told = |command: &[&str], settings: &str, change: &dyn Fn(&mut serde_json::Value)| {
        let mut spec = container(command);
        change(&mut spec);
        let verdict = judge(&pod(&spec), settings);
        (verdict.violations.len(), verdict.warnings.len())
    };
    let same = |_: &mut serde_json::Value| {};
    let task = |spec: &mut serde_json::Value| spec["restartPolicy"] = "Never".into();
    let with_input = |spec: &mut serde_json::Value| spec["containers"][0]["stdin"] = true.into();
    for command in [&["sleep", "infinity"][..], &["tail", "-f", "/dev/null"], &["cat"], &["sh"]] {
        assert_eq!(told(command, "{}", &same), (1, 0), "{command:?}");
        assert_eq!(told(command, r#"{"idle":"warn"}"#, &same), (0, 1), "{command:?}");
        assert_eq!(told(command, r#"{"idle":"accept"}"#, &same), (0, 0), "{command:?}");
    }
    // A task may wait.
    assert_eq!(told(&["sleep", "5"], "{}", &task), (0, 0));
    assert_eq!(told(&["sleep", "infinity"], "{}", &task), (1, 0));
    assert_eq!(told(&["sh", "-c", "for f in $L; do echo $f; sleep 1; done"], "{}", &task), (0, 0));
    // What somebody else writes to it cannot be read.
    let runner = "if [ -x /bin/bash ]; then\nexec /bin/bash\nelse\necho shell not found\nexit 1\nfi";
    assert_eq!(told(&["sh", "-c", runner], "{}", &with_input), (0, 1));
    assert_eq!(told(&["sh", "-c", runner], "{}", &same), (1, 0));
}

#[test]
fn an_image_is_looked_up_once_and_only_if_it_decides() {
    let host = Silent::default();
    let ask = |containers: serde_json::Value, settings: &str| {
        let before = host.0.get();
        let text = pod(&serde_json::json!({ "containers": containers }));
        let request = Request::read(Json::parse(&text).expect("JSON")).expect("a request");
        let settings = read_settings(&Json::parse(settings).expect("JSON")).expect("settings");
        let verdict = RequireSingleApp::judge(&request, &settings, &host);
        (host.0.get() - before, verdict.violations.len(), verdict.warnings.len())
    };
    let silent = serde_json::json!({ "name": "a", "image": "r.io/a" });
    let other = serde_json::json!({ "name": "b", "image": "r.io/a", "args": ["x"], "command": [] });
    let stated = serde_json::json!({ "name": "c", "image": "r.io/c", "command": ["app"] });
    assert_eq!(ask(serde_json::json!([silent, other, stated]), "{}"), (1, 2, 0));
    assert_eq!(ask(serde_json::json!([silent, other]), r#"{"inspectImages":false}"#), (0, 0, 2));
    assert_eq!(ask(serde_json::json!([silent]), r#"{"exemptImages":["r.io/*"]}"#), (0, 0, 0));
    // Many images, few questions.
    let many = (0..100).map(|n| serde_json::json!({ "name": format!("n{n}"), "image": format!("r.io/a{n}") }));
    assert_eq!(ask(many.collect(), "{}"), (64, 100, 0));
}

#[test]
fn work_is_bounded() {
    // Functions that call each other twice, launchers in launchers, one long list.
    let mut script = "f0() { a; }; ".to_owned();
    for n in 1..60 {
        script.push_str(&format!("f{n}() {{ f{0}; f{0}; }}; ", n - 1));
    }
    assert_eq!(answer(&["sh", "-c", &format!("{script} f59")]), "rejected");
    assert_eq!(answer(&["env"; 50]), "rejected");
    let mut script = "f0() { a; }; ".to_owned();
    for n in 1..15 {
        script.push_str(&format!("f{n}() {{ {} }}; ", format!("f{} \"$@\" x; f{0} \"$@\" y; ", n - 1).repeat(2)));
    }
    assert_eq!(answer(&["sh", "-c", &format!("{script} f14 z")]), "rejected");
    let many: String = (0..5000).map(|n| format!("a{n}=1; ")).collect();
    assert_eq!(answer(&["sh", "-c", &format!("{many} exec b")]), "accepted");
    let many = format!("{}exec b", "a & ".repeat(10_000));
    let verdict = judge(&pod(&container(&["sh", "-c", &many])), "{}");
    assert_eq!(verdict.violations.len(), 1, "the same is told once");
    // Values and arguments that double, functions in texts in functions, arithmetic that is read as commands first.
    let doubling: String = (1..40).map(|n| format!("A{n}=$A{0}$A{0};", n - 1)).collect();
    let quoted = |text: &str| format!("'{}'", text.replace('\'', r"'\''"));
    let mut eval = ":; ".to_owned();
    let mut document = ":\n".to_owned();
    for level in 0..3 {
        let calls: String = (0..200).map(|n| format!("f {n};")).collect();
        eval = format!("f() {{ eval {}; }}; {calls}", quoted(&eval));
        document = format!("f() {{ sh <<'E{level}'\n{document}\nE{level}\n}}\n{calls}");
    }
    let arithmetic = (0..11).fold("x".to_owned(), |text, _| format!("(( $( {text} ) [ ) ))"));
    for script in [
        format!("A0=xxxxxxxxxxxxxxxx;{doubling} exec app"),
        format!("set -- a b;{} exec app", "set -- \"$@\" \"$@\";".repeat(40)),
        format!("{eval} exec app"),
        format!("{document} exec app"),
        format!(": {}; {arithmetic}", "y".repeat(40_000)),
    ] {
        let begin = std::time::Instant::now();
        assert_eq!(answer(&["sh", "-c", &script]), "rejected", "{}", &script[..60]);
        assert!(begin.elapsed().as_secs() < 2, "{}", &script[..60]);
    }
    let distinct: String = (0..1000).map(|n| format!("a{n} & ")).collect();
    let verdict = judge(&pod(&container(&["sh", "-c", &distinct])), "{}");
    assert_eq!(verdict.violations.len(), 16);
}

proptest! {
    #[test]
    fn any_command_is_answered(words in proptest::collection::vec("[a-z./$(){}&;|<>'\" \\\\=-]{0,12}", 0..6)) {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let _ = judge(&pod(&container(&words)), "{}");
        let mut line = vec!["sh", "-c"];
        line.extend(words);
        let _ = judge(&pod(&container(&line)), "{}");
    }

    #[test]
    fn any_names_are_answered(names in proptest::collection::vec(proptest::sample::select(NAMES), 1..7)) {
        let _ = judge(&pod(&container(&names)), "{}");
    }
}

const NAMES: &[&str] = &[
    "tini",
    "--",
    "-",
    "env",
    "-S",
    "sudo",
    "su",
    "-c",
    "sh",
    "bash",
    "-lc",
    "runuser",
    "busybox",
    "timeout",
    "5",
    "xargs",
    "-P",
    "npx",
    "npm",
    "exec",
    "entrypoint",
    "-entrypoint",
    "/cnb/lifecycle/launcher",
    "doppler",
    "--command",
    "sops",
    "exec-env",
    "bundle",
    "a",
    "",
    "é",
    "a & b",
    "$(A)",
    "find",
    "python",
    "-m",
    "nohup",
    "catatonit",
];
