# Sourced by install and uninstall: where everything goes.
# shellcheck shell=bash disable=SC2034

# base VARIABLE USUAL: a folder of the XDG Base Directory Specification, as systemd and the program understand it.
base() {
    if [[ ${!1-} == /* ]]; then echo "${!1}"; else echo "$HOME/$2"; fi
}

# install_paths [OPTION...]: reads the options both scripts share and sets
#   kind (system|user) prefix binary bin links doc units sysusers tmpfiles config config_mode DESTDIR
install_paths() {
    kind=system prefix='' binary=''
    DESTDIR=${DESTDIR-}
    while [[ $# -gt 0 ]]; do
        case $1 in
            --user) kind=user ;;
            --prefix) prefix=${2:?--prefix wants a folder}; shift ;;
            --prefix=*) prefix=${1#*=} ;;
            --binary) binary=${2:?--binary wants a file}; shift ;;
            --binary=*) binary=${1#*=} ;;
            -h | --help) sed -n '2,/^[^#]/{s/^# \{0,1\}//p}' "$0"; exit 0 ;;
            *) die "unknown option $1 (see --help)" ;;
        esac
        shift
    done
    if [[ $kind == user ]]; then
        : "${prefix:=$HOME/.local}"
        units=$(base XDG_DATA_HOME .local/share)/systemd/user
        config=$(base XDG_CONFIG_HOME .config)/mcp-bridge
        config_mode=0700
    else
        : "${prefix:=/usr/local}"
        # The two prefixes that systemd searches by itself; for any other the units go where the administrator's go.
        case $prefix in
            /usr | /usr/local) units=$prefix/lib/systemd/system sysusers=$prefix/lib/sysusers.d tmpfiles=$prefix/lib/tmpfiles.d ;;
            *) units=/etc/systemd/system sysusers=/etc/sysusers.d tmpfiles=/etc/tmpfiles.d ;;
        esac
        config=/etc/mcp-bridge
        config_mode=0750
        [[ -n $DESTDIR || $EUID == 0 ]] || die "the system service needs root; for yourself alone: ${0##*/} --user"
    fi
    [[ $prefix == /* ]] || die "--prefix wants an absolute folder"
    bin=$prefix/bin
    # Further names of the program: each is one of its commands.
    links=(mcp-gateway mcp-bridge-stdio mcptb)
    doc=$prefix/share/doc/mcp-bridge
}

# True when the manager that the units belong to is running.
manager_runs() {
    if [[ $kind == system ]]; then
        [[ -d /run/systemd/system ]]
    else
        [[ -S ${XDG_RUNTIME_DIR:-/nonexistent}/systemd/private ]]
    fi
}
