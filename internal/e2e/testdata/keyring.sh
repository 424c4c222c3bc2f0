#!/bin/bash
# usage: keyring.sh STATE FOLDER
#
# Makes a desktop session without a desktop: a D-Bus session bus and a real gnome-keyring in the given STATE, all below
# FOLDER. Prints the bus's address and keeps the session until stdin is closed.
#
#   unlocked  the keyring answers
#   locked    it wants a password, and there is no prompter to ask for it
#   silent    there is a prompter, which never says a word
#   stopped   the daemon took its name on the bus, and hangs
#   absent    a bus without any Secret Service
set -eu
state=$1
home=$2/home
runtime=$2/runtime
mkdir -p -m 700 "$home" "$runtime/dbus-1/services"
session=(env -i PATH="$PATH" HOME="$home" XDG_RUNTIME_DIR="$runtime" dbus-run-session)

# An item is stored as proof: --unlock succeeds with a wrong password too.
unlock='echo password | gnome-keyring-daemon --unlock --components=secrets >/dev/null 2>&1
echo -n seed | secret-tool store --label=seed service seed username seed'
wait='echo "$DBUS_SESSION_BUS_ADDRESS"; cat >/dev/null'

case $state in
unlocked)
	"${session[@]}" -- bash -euc "$unlock; $wait"
	;;
locked)
	"${session[@]}" -- bash -euc "$unlock" # leaves login.keyring on disk, which the next session finds locked
	"${session[@]}" -- bash -euc "$wait"
	;;
silent)
	"${session[@]}" -- bash -euc "$unlock"
	name=org.gnome.keyring.SystemPrompter # the file has to be called by the name on the bus
	cat >"$runtime/prompter" <<-END
		#!/bin/sh
		echo \$\$ >>"$runtime/prompters"
		exec sleep 60
	END
	chmod 700 "$runtime/prompter"
	printf '[D-BUS Service]\nName=%s\nExec=%s\n' "$name" "$runtime/prompter" >"$runtime/dbus-1/services/$name.service"
	"${session[@]}" -- bash -euc "$wait"
	while read -r pid; do kill "$pid" || true; done <"$runtime/prompters"
	;;
stopped)
	"${session[@]}" -- bash -euc "$unlock
		pid=\$(dbus-send --session --print-reply=literal --dest=org.freedesktop.DBus / \
			org.freedesktop.DBus.GetConnectionUnixProcessID string:org.freedesktop.secrets | sed 's/.* //')
		kill -STOP \$pid
		trap 'kill -CONT \$pid' EXIT
		$wait"
	;;
absent)
	cat >"$runtime/bus.conf" <<-END
		<busconfig>
		  <type>session</type>
		  <listen>unix:dir=$runtime</listen>
		  <policy context="default">
		    <allow send_destination="*" eavesdrop="true"/>
		    <allow eavesdrop="true"/>
		    <allow own="*"/>
		  </policy>
		</busconfig>
	END
	"${session[@]}" --config-file="$runtime/bus.conf" -- bash -euc "$wait"
	;;
esac
