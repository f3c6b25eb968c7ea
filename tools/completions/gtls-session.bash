# SPDX-License-Identifier: LGPL-2.1-or-later
# bash completion for gtls-session

_gtls_session_ids ()
{
  # The store may be another one than the user's own.
  local i file=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    case ${COMP_WORDS[i]} in
      -f | --file) file=(--file "${COMP_WORDS[i + 1]}") ;;
    esac
  done
  gtls-session store "${file[@]}" list 2>/dev/null | awk 'NR > 1 && $1 ~ /^[0-9a-f]+$/ { print $1 }'
}

_gtls_session ()
{
  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} verb=${COMP_WORDS[1]} words='' i action=''

  COMPREPLY=()
  if [ "$COMP_CWORD" -eq 1 ]; then
    mapfile -t COMPREPLY < <(compgen -W 'probe ftp store demo --help --version' -- "$current")
    return
  fi

  [[ $current == -* ]] || case $previous in
    --starttls)
      mapfile -t COMPREPLY < <(compgen -W 'ftp smtp imap pop3 xmpp postgres ldap' -- "$current")
      return
      ;;
    --ca | --password-file | --file | -f | import | export)
      compopt -o filenames 2>/dev/null
      mapfile -t COMPREPLY < <(compgen -f -- "$current")
      return
      ;;
    --alpn)
      mapfile -t COMPREPLY < <(compgen -W 'h2 http/1.1' -- "$current")
      return
      ;;
    --count | -n | --address | -a | --timeout | -t | --parallel | -P | --user | -u) return ;;
  esac

  case $verb in
    probe) words='--starttls --alpn --tls1.2 --count --address --ca --timeout --json --help' ;;
    ftp)
      if [[ $current == -* ]]; then
        words='--continue --parallel --user --password-file --ca --tls1.2 --timeout --quiet --json --help'
      elif [ "$COMP_CWORD" -eq 2 ]; then
        words='ls get put mirror'
      else
        compopt -o filenames 2>/dev/null
      fi
      ;;
    demo) words='--tls1.2 --timeout --help' ;;
    store)
      for ((i = 2; i < COMP_CWORD; i++)); do
        case ${COMP_WORDS[i]} in
          list | show | forget | export | import) action=${COMP_WORDS[i]} ;;
        esac
      done
      case $action in
        '') words='list show forget export import --file --help' ;;
        show) words=$(_gtls_session_ids) ;;
        forget) words="--all $(_gtls_session_ids)" ;;
        export) words="--keep $(_gtls_session_ids)" ;;
      esac
      ;;
  esac
  if [ "$verb" = ftp ] && [ -z "$words" ]; then
    mapfile -t COMPREPLY < <(compgen -f -- "$current")
  elif [ "$verb" != store ] && [ "$verb" != ftp ] && [[ $current != -* ]]; then
    mapfile -t COMPREPLY < <(compgen -A hostname -- "$current")
  else
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
  fi
}

complete -F _gtls_session gtls-session
