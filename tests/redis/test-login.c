/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Where a Redis store goes, as whom, and over what: URIs, passwords, TLS. */

#include <string.h>

#include "stores.h"
#include "test-pki.h"
#include "ticket/gtls-session-error.h"
#include "tickets.h"

static void
assert_works (const char *uri, const StoreOptions *options)
{
  g_autoptr (Store) store = make_store (uri, options);

  save (store, "name", "bytes");
  assert_loads (store, "name", "bytes");
}

static void
assert_refused (const char *uri, const StoreOptions *options, const char *first, const char *second)
{
  g_autoptr (Store) store = make_store (uri, options);
  g_autoptr (GError) error = NULL;

  g_assert_null (g_tls_session_store_load_bytes (G_TLS_SESSION_STORE (store), "name", &error));
  assert_says (error, first, second);
}

/* Making */

static void
refuses_a_uri_with_words (void)
{
  static const struct
  {
    const char *uri;
    const char *words;
  } cases[] = {
    { "", "cannot be read" },
    { "127.0.0.1:6379", "cannot be read" },
    { "http://127.0.0.1", "none of redis:, rediss: and redis+unix:" },
    { "redis://", "names no host" },
    { "redis:///1", "names no host" },
    { "redis://:s3/cret@127.0.0.1", "written as %XX" },
    { "redis://127.0.0.1:99999", "cannot be read" },
    { "redis://127.0.0.1/one", "database is not a number" },
    { "redis://127.0.0.1/-1", "database is not a number" },
    { "redis://127.0.0.1/1/2", "database is not a number" },
    { "redis://127.0.0.1/1?timeout=3", "its query could mean" },
    { "redis://127.0.0.1#1", "its fragment" },
    { "redis://user@127.0.0.1", "a user and no password" },
    { "redis+unix://tmp/socket", "names a host as well" },
    { "redis+unix:", "names no socket's path" },
    { "redis+unix:///tmp/socket?base=1", "can only be db=" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_null (g_tls_session_redis_store_new (cases[i].uri, NULL, &error));
      assert_says (error, "The URI of the Redis server is wrong", cases[i].words);
      g_assert_null (strstr (error->message, "cret"));
    }
}

static void
takes_a_uri_of_every_form (void)
{
  static const char *const uris[] = {
    "redis://localhost",
    "redis://localhost/",
    "redis://127.0.0.1:1/15",
    "redis://[::1]:6379/0",
    "redis://:p%40ss@example.org",
    "rediss://user:password@example.org/3",
    "redis+unix:///run/redis.sock",
    "redis+unix://:password@/run/redis.sock?db=2",
  };

  for (gsize i = 0; i < G_N_ELEMENTS (uris); i++)
    g_object_unref (make_store (uris[i], NULL));
}

static void
refuses_other_settings_with_words (void)
{
  g_autoptr (GBytes) short_key = g_bytes_new_static ("short", 5);
  g_autoptr (GError) error = NULL;

  g_assert_null (g_tls_session_redis_store_new ("redis://localhost", short_key, &error));
  g_assert_error (error, G_TLS_SESSION_ERROR, G_TLS_SESSION_ERROR_BAD_DATA);
  g_clear_error (&error);

  g_assert_null (try_to_make_store ("redis://localhost", &(StoreOptions){ .prefix = "{x}" }, &error));
  assert_says (error, "The prefix", "no braces");
  g_clear_error (&error);

  g_assert_null (try_to_make_store ("rediss://localhost", &(StoreOptions){ .ca_file = "/no/such/file" }, &error));
  assert_says (error, "cannot be read from", "/no/such/file");
}

/* A binding that leaves out g_initable_init() gets no crash. */
static void
fails_uninitialised (void)
{
  g_autoptr (Store) store = g_object_new (G_TLS_SESSION_TYPE_REDIS_STORE, NULL);
  g_autoptr (GError) error = NULL;

  g_assert_false (g_tls_session_store_clear (G_TLS_SESSION_STORE (store), &error));
  assert_says (error, "was not initialised", "");
  g_clear_error (&error);
  g_assert_false (g_initable_init (G_INITABLE (store), NULL, &error));
  assert_says (error, "The URI", "wrong");
}

/* Passwords */

static void
logs_in (void)
{
  g_autoptr (RedisServer) server = redis_server_new (&(RedisServerOptions){ .password = "p@s:s" });
  g_autofree char *answer = redis_server_ask (server, "ACL", "SETUSER", "us/er", "on", ">other", "~*", "+@all", NULL);
  g_autofree char *with_password = redis_server_make_uri (server, "redis", ":p%40s%3As");
  g_autofree char *with_user = redis_server_make_uri (server, "redis", "us%2Fer:other");
  g_autofree char *by_socket = redis_server_make_uri (server, "redis+unix", "us%2Fer:other");
  g_autofree char *wrong_password = redis_server_make_uri (server, "redis", ":wrong");
  g_autofree char *wrong_user = redis_server_make_uri (server, "redis", "nobody:other");
  g_autofree char *without = redis_server_make_uri (server, "redis", NULL);

  g_assert_cmpstr (answer, ==, "OK");
  assert_works (with_password, NULL);
  assert_works (with_user, NULL);
  assert_works (by_socket, NULL);
  assert_refused (wrong_password, NULL, "refused the command AUTH", "WRONGPASS");
  assert_refused (wrong_user, NULL, "refused the command AUTH", "WRONGPASS");
  assert_refused (without, NULL, "refused the command GET", "NOAUTH");
}

static void
keeps_to_its_database (void)
{
  g_autoptr (RedisServer) server = redis_server_new (NULL);
  g_autofree char *base = redis_server_make_uri (server, "redis", NULL);
  g_autofree char *by_socket = redis_server_make_uri (server, "redis+unix", NULL);
  g_autofree char *third = g_strconcat (base, "/3", NULL);
  g_autofree char *third_by_socket = g_strconcat (by_socket, "?db=3", NULL);
  g_autofree char *none = g_strconcat (base, "/1000", NULL);
  g_autoptr (Store) store = make_store (third, NULL);
  g_autoptr (Store) same = make_store (third_by_socket, NULL);
  g_autoptr (Store) other = make_store (base, NULL);

  save (store, "name", "in the third");
  assert_loads (same, "name", "in the third");
  assert_loads (other, "name", NULL);
  assert_refused (none, NULL, "refused the command SELECT", "out of range");
}

/* TLS */

static void
speaks_tls (void)
{
  g_autoptr (TestPki) pki = test_pki_new ();
  g_autoptr (RedisServer) server = redis_server_new (
    &(RedisServerOptions){ .password = "right", .certificate = test_pki_get_path (pki, TEST_CERTIFICATE_GOOD) });
  g_autofree char *uri = redis_server_make_own_uri (server);
  g_autofree char *plain = redis_server_make_uri (server, "redis", ":right");
  g_autoptr (TicketMaker) maker = ticket_maker_new (HANDSHAKE_TLS_1_3);
  g_autoptr (Store) store = make_store (uri, &(StoreOptions){ .ca_file = test_pki_get_ca_path (pki) });

  for (guint i = 0; i < 20; i++)
    {
      g_autoptr (Ticket) ticket = ticket_maker_make (maker);

      put (store, "peer", ticket);
      assert_takes (store, "peer", ticket);
    }
  assert_refused (uri, NULL, "could not be connected to", "certificate is not trusted");
  assert_refused (plain, &(StoreOptions){ .time_limit = 2000 }, "did not take the login", "");
}

static void
refuses_a_certificate (gconstpointer data)
{
  g_autoptr (TestPki) pki = test_pki_new ();
  const char *certificate = test_pki_get_path (pki, GPOINTER_TO_UINT (data));
  g_autoptr (RedisServer)
    server = redis_server_new (&(RedisServerOptions){ .password = "right", .certificate = certificate });
  g_autofree char *uri = redis_server_make_own_uri (server);

  assert_refused (uri, &(StoreOptions){ .ca_file = test_pki_get_ca_path (pki) }, "could not be connected to",
                  "Its certificate is not trusted");
}

/* The others go by its address. */
static void
is_reached_by_name_too (void)
{
  g_autoptr (TestPki) pki = test_pki_new ();
  g_autoptr (RedisServer)
    server = redis_server_new (&(RedisServerOptions){ .certificate = test_pki_get_path (pki, TEST_CERTIFICATE_GOOD) });
  g_autofree char *by_address = redis_server_make_own_uri (server);
  const char *port = strrchr (by_address, ':');
  g_autofree char *by_name = g_strconcat ("rediss://localhost", port, NULL);

  assert_works (by_name, &(StoreOptions){ .ca_file = test_pki_get_ca_path (pki) });
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/redis/login/refuses_a_uri_with_words", refuses_a_uri_with_words);
  g_test_add_func ("/redis/login/takes_a_uri_of_every_form", takes_a_uri_of_every_form);
  g_test_add_func ("/redis/login/refuses_other_settings_with_words", refuses_other_settings_with_words);
  g_test_add_func ("/redis/login/fails_uninitialised", fails_uninitialised);
  g_test_add_func ("/redis/login/logs_in", logs_in);
  g_test_add_func ("/redis/login/keeps_to_its_database", keeps_to_its_database);
  g_test_add_func ("/redis/login/speaks_tls", speaks_tls);
  g_test_add_func ("/redis/login/is_reached_by_name_too", is_reached_by_name_too);
  g_test_add_data_func ("/redis/login/refuses_a_certificate/stranger", GUINT_TO_POINTER (TEST_CERTIFICATE_STRANGER),
                        refuses_a_certificate);
  g_test_add_data_func ("/redis/login/refuses_a_certificate/other-name", GUINT_TO_POINTER (TEST_CERTIFICATE_OTHER_NAME),
                        refuses_a_certificate);
  g_test_add_data_func ("/redis/login/refuses_a_certificate/expired", GUINT_TO_POINTER (TEST_CERTIFICATE_EXPIRED),
                        refuses_a_certificate);

  return g_test_run ();
}
