/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A program that knows of Gio alone, as others are. It tells what it got from Gio, a line for each.
 *
 *   plain-program backend           the backend, what it supports, and the module's library that is mapped
 *   plain-program connect PORT CA   a TLS connection by GSocketClient to 127.0.0.1, and what the server echoes
 *   plain-program dtls              what becomes of a DTLS connection
 */

#include <string.h>

#include <gio/gio.h>

static void
tell_library (void)
{
  g_autofree char *maps = NULL;
  g_auto (GStrv) lines = NULL;

  if (!g_file_get_contents ("/proc/self/maps", &maps, NULL, NULL))
    return;

  lines = g_strsplit (maps, "\n", -1);
  for (char **line = lines; *line != NULL; line++)
    if (strstr (*line, "libgtls-session-1.so") != NULL)
      {
        g_print ("library=%s\n", strchr (*line, '/'));
        return;
      }
}

static int
tell_backend (void)
{
  GTlsBackend *backend = g_tls_backend_get_default ();
  g_autoptr (GTlsDatabase) database = NULL;

  g_print ("backend=%s\n", G_OBJECT_TYPE_NAME (backend));
  g_print ("tls=%d\n", g_tls_backend_supports_tls (backend));
  g_print ("dtls=%d\n", g_tls_backend_supports_dtls (backend));
  if (g_tls_backend_supports_tls (backend))
    database = g_tls_backend_get_default_database (backend);
  g_print ("database=%s\n", database != NULL ? G_OBJECT_TYPE_NAME (database) : "none");
  tell_library ();
  return 0;
}

static int
fail (const GError *error)
{
  g_print ("error=%s %d %s\n", g_quark_to_string (error->domain), error->code, error->message);
  return 1;
}

static void
on_event (GSocketClient *client,
          GSocketClientEvent event,
          GSocketConnectable *connectable,
          GIOStream *stream,
          gpointer data)
{
  if (event == G_SOCKET_CLIENT_TLS_HANDSHAKING)
    {
      g_tls_connection_set_database (G_TLS_CONNECTION (stream), data);
      g_print ("connection=%s\n", G_OBJECT_TYPE_NAME (stream));
    }
}

static int
connect_and_echo (const char *port, const char *ca)
{
  g_autoptr (GSocketClient) client = g_socket_client_new ();
  g_autoptr (GError) error = NULL;
  g_autoptr (GTlsDatabase) database = g_tls_file_database_new (ca, &error);
  g_autoptr (GSocketConnection) connection = NULL;
  char echo[6] = { 0 };

  if (database == NULL)
    return fail (error);

  g_socket_client_set_tls (client, TRUE);
  g_signal_connect (client, "event", G_CALLBACK (on_event), database);
  connection = g_socket_client_connect_to_host (client, "localhost", (guint16) g_ascii_strtoull (port, NULL, 10), NULL,
                                                &error);
  if (connection == NULL ||
      !g_output_stream_write_all (g_io_stream_get_output_stream (G_IO_STREAM (connection)), "hello", 5, NULL, NULL,
                                  &error) ||
      !g_input_stream_read_all (g_io_stream_get_input_stream (G_IO_STREAM (connection)), echo, 5, NULL, NULL, &error) ||
      !g_io_stream_close (G_IO_STREAM (connection), NULL, &error))
    return fail (error);

  g_print ("echo=%s\n", echo);
  return 0;
}

static int
try_dtls (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GSocket)
    socket = g_socket_new (G_SOCKET_FAMILY_IPV4, G_SOCKET_TYPE_DATAGRAM, G_SOCKET_PROTOCOL_UDP, &error);
  g_autoptr (GDatagramBased) connection = NULL;

  if (socket == NULL)
    return fail (error);

  connection = g_dtls_client_connection_new (G_DATAGRAM_BASED (socket), NULL, &error);
  if (connection == NULL)
    return fail (error);

  g_print ("connection=%s\n", G_OBJECT_TYPE_NAME (connection));
  return 0;
}

int
main (int argc, char **argv)
{
  if (argc == 2 && strcmp (argv[1], "backend") == 0)
    return tell_backend ();
  if (argc == 4 && strcmp (argv[1], "connect") == 0)
    return connect_and_echo (argv[2], argv[3]);
  if (argc == 2 && strcmp (argv[1], "dtls") == 0)
    return try_dtls ();

  g_printerr ("usage: plain-program backend | connect PORT CA | dtls\n");
  return 2;
}
