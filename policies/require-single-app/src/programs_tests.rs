use super::*;
use crate::arg::args;

#[test]
fn supervisors_are_known_however_they_are_started() {
    for line in [
        "supervisord -n",
        "/usr/bin/supervisord",
        "python -m supervisor.supervisord -n",
        "python3.11 -msupervisor",
        "/usr/bin/python3 -u /usr/bin/supervisord",
        "node /app/node_modules/.bin/concurrently a b",
        "node /app/node_modules/pm2/bin/pm2-runtime.js",
        "/init",
        "/sbin/init",
        "/lib/systemd/systemd --system",
    ] {
        assert!(is_supervisor(&args(&line.split(' ').collect::<Vec<_>>())), "{line}");
    }
    for line in ["python -m http.server", "python app.py supervisord", "/app/init", "java -jar /init", "supervisorctl"]
    {
        assert!(!is_supervisor(&args(&line.split(' ').collect::<Vec<_>>())), "{line}");
    }
}

#[test]
fn idling_is_told_from_reading_logs() {
    for (line, expected) in [
        ("tail -f /dev/null", true),
        ("tail --follow /dev/null", true),
        ("tail -n 0 -F /dev/null", true),
        ("tail -f", true),
        ("tail -f /var/log/app.log", false),
        ("tail /dev/null", false),
        ("cat", true),
        ("cat -", true),
        ("cat /etc/os-release", false),
        ("sleep infinity", true),
        ("sleepy", false),
    ] {
        let line = args(&line.split(' ').collect::<Vec<_>>());
        assert_eq!(is_idle(line[0].program().unwrap_or_default(), &line), expected, "{line:?}");
    }
    for (line, expected) in
        [("sleep 5", true), ("sleep 2m", true), ("sleep 0.5s", true), ("sleep 300", false), ("sleep inf", false)]
    {
        let line = args(&line.split(' ').collect::<Vec<_>>());
        assert_eq!(is_short("sleep", &line), expected, "{line:?}");
    }
}

#[test]
fn xargs_is_parallel_only_if_it_is_told_to() {
    for (line, expected) in [
        ("xargs -n 1 -P 4 app", true),
        ("xargs -P4 app", true),
        ("xargs --max-procs=0 app", true),
        ("xargs -P 1 app", false),
        ("xargs app -P 4", false),
        ("parallel app", true),
    ] {
        let line = args(&line.split(' ').collect::<Vec<_>>());
        assert_eq!(runs_in_parallel(line[0].program().unwrap_or_default(), &line), expected, "{line:?}");
    }
}
