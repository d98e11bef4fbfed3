//! Commands that put a process into the background by themselves.

use crate::arg::Arg;

/// Options with which a program leaves the foreground.
const BY_OPTION: &[(&[&str], &[&str])] = &[
    (&["airflow", "celery", "gunicorn", "superset"], &["-D", "--daemon", "--detach"]),
    (&["avahi-daemon"], &["-D", "--daemonize"]),
    (&["dbus-daemon", "mongod", "mongos"], &["--fork"]),
    (&["exim", "exim4"], &["-bd"]),
    (&["hdfs", "mapred"], &["--daemon"]),
    (&["nvidia-cuda-mps-control"], &["-d"]),
    (&["ovs-vswitchd", "ovsdb-server"], &["--detach"]),
    (&["pulseaudio"], &["-D", "--daemonize", "--start"]),
    (&["wpa_supplicant"], &["-B"]),
    (&["elasticsearch", "kibana", "opensearch"], &["-d", "--daemonize"]),
    (
        &["fluentd", "td-agent", "puma", "sidekiq", "thin", "pgbouncer", "mosquitto", "memcached"],
        &["-d", "--daemon", "--daemonize"],
    ),
    (&["zebra", "bgpd", "ospfd", "transmission-daemon"], &["-d", "--daemon"]),
    (&["haproxy", "unicorn", "unicorn_rails", "rackup"], &["-D", "--daemonize"]),
    (
        &["kafka-server-start", "kafka-server-start.sh", "zookeeper-server-start.sh", "connect-distributed.sh"],
        &["-daemon"],
    ),
    (&["mysqld", "mariadbd", "gpg-agent"], &["--daemonize", "--daemon", "-D"]),
    (&["uwsgi"], &["-d", "--daemonize", "--daemonize2"]),
    (&["openvpn"], &["--daemon"]),
    (&["pure-ftpd"], &["-B", "--daemonize"]),
    (&["rabbitmq-server"], &["-detached"]),
    (&["rails"], &["-d", "--daemon"]),
    (&["screen"], &["-d", "-dm", "-dmS"]),
    (&["x11vnc"], &["-bg"]),
];

/// Words with which a program starts another one and comes back.
const BY_WORD: &[(&[&str], &[&str])] = &[
    (&["apachectl", "apache2ctl", "httpd", "apache2"], &["start", "restart", "graceful"]),
    (
        &["emqx", "forever", "initctl", "lighttpd-angel", "lxc", "sv", "zkServer.sh", "catalina.sh", "asadmin"],
        &["start", "restart"],
    ),
    (&["celery"], &["multi"]),
    (&["ipsec", "solr"], &["start", "restart"]),
    (&["invoke-rc.d", "rc-service"], &["start", "restart", "reload", "force-reload"]),
    (&["pg_ctl", "pg_ctlcluster", "postfix", "sendmail"], &["start", "restart"]),
    (&["systemctl"], &["start", "restart", "enable", "reload-or-restart"]),
    (&["tmux"], &["-d"]),
];

/// Programs that do nothing else.
const ALWAYS: &[&str] = &["daemonize", "ssh-agent", "start-stop-daemon", "startproc", "vncserver", "tightvncserver"];

/// Programs that leave the foreground unless one of these options keeps them there.
const UNLESS: &[(&[&str], &[&str])] = &[
    (&["acpid", "atd"], &["-f", "--foreground", "-d"]),
    (
        &[
            "bird",
            "bird6",
            "collectd",
            "cron",
            "dhcpd",
            "inetd",
            "snmpd",
            "zabbix_agentd",
            "zabbix_server",
            "zabbix_proxy",
        ],
        &["-f", "--foreground", "-d"],
    ),
    (&["cassandra", "crond", "named", "rpcbind", "dcron"], &["-f", "-n", "-g", "-d"]),
    (&["chronyd", "ntpd", "openntpd", "pgpool", "rsyslogd", "syslogd", "klogd"], &["-n", "-d", "-x", "-q", "-Q"]),
    (&["clamd", "dovecot", "dropbear"], &["-F", "--foreground"]),
    (&["dbus-daemon"], &["--nofork", "--introspect", "--version"]),
    (&["stunnel", "stunnel4"], &["-fd", "-version", "-sockets"]),
    (&["dnsmasq"], &["-k", "--keep-in-foreground", "-d", "--no-daemon"]),
    (&["freeradius", "radiusd"], &["-f", "-X"]),
    (&["keepalived"], &["-n", "--dont-fork"]),
    (&["lighttpd"], &["-D", "-t"]),
    (&["nscd"], &["-F", "-d", "--foreground"]),
    (&["proftpd"], &["-n", "--nodaemon"]),
    (&["slapd"], &["-d"]),
    (&["smbd", "nmbd", "winbindd"], &["-F", "--foreground", "-i"]),
    (&["squid"], &["-N", "--foreground", "-z"]),
    (&["sshd"], &["-D", "-d", "-t", "-T", "-i"]),
    (&["syslog-ng"], &["-F", "--foreground"]),
    (&["varnishd"], &["-F", "-C"]),
    (&["xinetd"], &["-dontfork"]),
];

/// Whether this command puts a process into the background, whatever stands around it.
pub(crate) fn daemonises(name: &str, line: &[Arg]) -> bool {
    let path = line.first().and_then(Arg::text).unwrap_or_default();
    if ALWAYS.contains(&name) {
        return true;
    }
    if (path.starts_with("/etc/init.d/") || path.starts_with("/etc/rc.d/")) && has_word(line, &["start", "restart"]) {
        return true;
    }
    if name.starts_with("php-fpm") && has_option(line, &["-D", "--daemonize"]) {
        return true;
    }
    // Their values stand behind the option.
    let behind = |option: &str| {
        let place = line.iter().position(|arg| arg.text() == Some(option))?;
        line.get(place + 1)?.text()
    };
    match name {
        "redis-server" | "valkey-server" | "keydb-server" => {
            return behind("--daemonize") == Some("yes");
        }
        // `./service start` is somebody's app.
        "service" => {
            let is_word = |arg: &Arg| matches!(arg.text(), Some("start" | "restart" | "--full-restart"));
            let is_of_system = !path.contains('/') || path.starts_with("/usr/sbin/") || path.starts_with("/sbin/");
            return is_of_system && line.get(2).is_some_and(is_word);
        }
        "caddy" => return line.get(1).and_then(Arg::text) == Some("start"),
        "tor" => return behind("--RunAsDaemon") == Some("1"),
        // Of the options, `-D` defines a name; FOREGROUND keeps it there.
        "apachectl" | "apache2ctl" | "httpd" | "apache2"
            if line.iter().filter_map(Arg::text).any(|text| text.contains("FOREGROUND")) =>
        {
            return false;
        }
        // Behind the host stands the command of the other side.
        "ssh" | "autossh" => {
            let mut args = line.iter().skip(1).filter_map(Arg::text);
            while let Some(option) = args.next().filter(|text| text.starts_with('-')) {
                if option.contains('f') && !option.starts_with("-o") {
                    return true;
                }
                if option.len() == 2 && option.ends_with(|letter| "BbcDEeFIiJLlMmOopQRSWw".contains(letter)) {
                    args.next();
                }
            }
            return false;
        }
        "tmux" | "screen" => return has_option(line, &["-d"]),
        _ => {}
    }
    let is_of = |(names, _): &&(&[&str], &[&str])| names.contains(&name);
    BY_OPTION.iter().filter(is_of).any(|(_, options)| has_option(line, options))
        || BY_WORD.iter().filter(is_of).any(|(_, words)| has_word(line, words))
}

/// Whether this command leaves the foreground unless something else, such as its configuration, keeps it there.
///
/// As the whole of a container that would end it at once, so the image must have seen to it. Where something
/// follows it is what happens.
pub(crate) fn daemonises_by_default(name: &str, line: &[Arg]) -> bool {
    match name {
        "nginx" | "openresty" | "tengine" | "angie" => {
            let is_kept = line.iter().filter_map(Arg::text).any(|text| text.replace(' ', "").contains("daemonoff"));
            !is_kept && !has_option(line, &["-t", "-T", "-v", "-V", "-s", "-h", "-?"])
        }
        "httpd" | "apache2" => {
            let is_kept = line.iter().filter_map(Arg::text).any(|text| text.contains("FOREGROUND"));
            !is_kept && !has_option(line, &["-X", "-f", "-t", "-v", "-V", "-k"])
        }
        name if name.starts_with("php-fpm") => {
            !has_option(line, &["-F", "--nodaemonize", "-t", "--test", "-v", "--version", "-m", "-i"])
        }
        _ => UNLESS.iter().filter(|(names, _)| names.contains(&name)).any(|(_, kept)| !has_option(line, kept)),
    }
}

/// Whether one of these options is among the arguments; `-D` in `-eD`, too.
fn has_option(line: &[Arg], options: &[&str]) -> bool {
    line.iter().skip(1).filter_map(Arg::text).any(|arg| {
        options.iter().any(|option| {
            let letter = option.strip_prefix('-').filter(|rest| rest.len() == 1);
            let is_cluster = arg.len() <= 6 && arg.starts_with('-') && !arg.starts_with("--");
            arg == *option
                || arg.strip_prefix(option).is_some_and(|rest| option.starts_with("--") && rest.starts_with('='))
                || letter.is_some_and(|letter| {
                    is_cluster && arg.bytes().skip(1).all(|byte| byte.is_ascii_alphabetic()) && arg.contains(letter)
                })
        })
    })
}

fn has_word(line: &[Arg], words: &[&str]) -> bool {
    line.iter().skip(1).filter_map(Arg::text).any(|arg| words.contains(&arg))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arg::args;

    fn ask(line: &str, question: fn(&str, &[Arg]) -> bool) -> bool {
        let line = args(&line.split(' ').collect::<Vec<_>>());
        question(line[0].program().unwrap_or_default(), &line)
    }

    #[test]
    fn what_leaves_the_foreground_is_known() {
        for (line, expected) in [
            ("php-fpm -D", true),
            ("php-fpm8.2 --daemonize", true),
            ("php-fpm -F", false),
            ("service nginx start", true),
            ("service nginx status", false),
            ("./service start", false),
            ("/etc/init.d/cron start", true),
            ("redis-server --daemonize yes", true),
            ("redis-server --daemonize no", false),
            ("memcached -u nobody -d", true),
            ("memcached -m 64", false),
            ("apachectl -D FOREGROUND", false),
            ("apache2ctl start -DFOREGROUND", false),
            ("apachectl start", true),
            ("pg_ctl -D /data start", true),
            ("gunicorn --daemon app:app", true),
            ("gunicorn app:app -w 4", false),
            ("caddy run", false),
            ("caddy start", true),
            ("caddy run --config start", false),
            ("ssh host tail -f x", false),
            ("ssh -p 22 -fN host", true),
            ("/app/service worker start", false),
            ("service nginx reload", false),
            ("mongod --fork --logpath x", true),
            ("start-stop-daemon --start --exec x", true),
        ] {
            assert_eq!(ask(line, daemonises), expected, "{line}");
        }
    }

    #[test]
    fn what_leaves_the_foreground_by_itself_is_known() {
        for (line, expected) in [
            ("nginx", true),
            ("nginx -c /etc/nginx.conf", true),
            ("nginx -t", false),
            ("nginx -s reload", false),
            ("sshd", true),
            ("/usr/sbin/sshd -D -e", false),
            ("/usr/sbin/sshd -De", false),
            ("crond", true),
            ("crond -f", false),
            ("crond -l 2 -f", false),
            ("rsyslogd -n", false),
            ("java -jar x", false),
        ] {
            assert_eq!(ask(line, daemonises_by_default), expected, "{line}");
        }
        let off = args(&["nginx", "-g", "daemon off;"]);
        assert!(!daemonises_by_default("nginx", &off));
    }
}
