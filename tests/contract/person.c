/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "person.h"

typedef struct
{
  GTlsInteractionClass parent_class;
} PersonClass;

static GType person_get_type (void);
static GType blocking_person_get_type (void);
static GType patient_person_get_type (void);

G_DEFINE_TYPE (Person, person, G_TYPE_TLS_INTERACTION)

typedef Person BlockingPerson;
typedef PersonClass BlockingPersonClass;

G_DEFINE_TYPE (BlockingPerson, blocking_person, person_get_type ())

typedef Person PatientPerson;
typedef PersonClass PatientPersonClass;

G_DEFINE_TYPE (PatientPerson, patient_person, person_get_type ())

/* What is answered */

static GTlsInteractionResult
answer (Person *self, GTlsInteractionResult result, GCancellable *cancellable, GError **error)
{
  self->thread = g_thread_self ();
  if (self->to_cancel != NULL)
    g_cancellable_cancel (self->to_cancel);
  if (g_cancellable_set_error_if_cancelled (cancellable, error))
    return G_TLS_INTERACTION_FAILED;

  if (result == G_TLS_INTERACTION_FAILED && self->failure != NULL)
    g_propagate_error (error, g_error_copy (self->failure));
  return result;
}

static GTlsInteractionResult
answer_request (Person *self, GTlsConnection *connection, GCancellable *cancellable, GError **error)
{
  self->n_requests++;
  if (self->certificate != NULL)
    g_tls_connection_set_certificate (connection, self->certificate);
  return answer (self, self->certificate_result, cancellable, error);
}

static GTlsInteractionResult
answer_password (Person *self, GTlsPassword *password, GCancellable *cancellable, GError **error)
{
  self->n_passwords++;
  self->flags = g_tls_password_get_flags (password);
  g_free (self->description);
  self->description = g_strdup (g_tls_password_get_description (password));
  if (self->passwords != NULL)
    {
      g_tls_password_set_value (password, (const guchar *) self->passwords[0], -1);
      if (self->passwords[1] != NULL)
        self->passwords++;
    }
  return answer (self, self->password_result, cancellable, error);
}

/* Blocking */

static GTlsInteractionResult
blocking_person_request_certificate (GTlsInteraction *interaction,
                                     GTlsConnection *connection,
                                     GTlsCertificateRequestFlags flags,
                                     GCancellable *cancellable,
                                     GError **error)
{
  return answer_request ((Person *) interaction, connection, cancellable, error);
}

static GTlsInteractionResult
blocking_person_ask_password (GTlsInteraction *interaction,
                              GTlsPassword *password,
                              GCancellable *cancellable,
                              GError **error)
{
  return answer_password ((Person *) interaction, password, cancellable, error);
}

static void
blocking_person_class_init (BlockingPersonClass *class)
{
  class->parent_class.request_certificate = blocking_person_request_certificate;
  class->parent_class.ask_password = blocking_person_ask_password;
}

static void
blocking_person_init (BlockingPerson *self)
{
}

/* Later */

static gboolean
answer_later (gpointer data)
{
  GTask *task = data;
  Person *self = g_task_get_source_object (task);
  GObject *subject = g_task_get_task_data (task);
  GCancellable *cancellable = g_task_get_cancellable (task);
  GError *error = NULL;
  GTlsInteractionResult result = G_IS_TLS_CONNECTION (subject)
                                   ? answer_request (self, G_TLS_CONNECTION (subject), cancellable, &error)
                                   : answer_password (self, G_TLS_PASSWORD (subject), cancellable, &error);

  if (error != NULL)
    g_task_return_error (task, error);
  else
    g_task_return_int (task, result);
  return G_SOURCE_REMOVE;
}

static void
begin (Person *self, gpointer subject, GCancellable *cancellable, GAsyncReadyCallback callback, gpointer data)
{
  GTask *task = g_task_new (self, cancellable, callback, data);
  g_autoptr (GSource) source = g_idle_source_new ();

  g_task_set_task_data (task, g_object_ref (subject), g_object_unref);
  g_source_set_callback (source, answer_later, task, g_object_unref);
  g_source_attach (source, g_task_get_context (task));
}

static GTlsInteractionResult
finish (GAsyncResult *result, GError **error)
{
  GError *local_error = NULL;
  gssize answered = g_task_propagate_int (G_TASK (result), &local_error);

  if (local_error == NULL)
    return (GTlsInteractionResult) answered;
  g_propagate_error (error, local_error);
  return G_TLS_INTERACTION_FAILED;
}

static void
patient_person_request_certificate_async (GTlsInteraction *interaction,
                                          GTlsConnection *connection,
                                          GTlsCertificateRequestFlags flags,
                                          GCancellable *cancellable,
                                          GAsyncReadyCallback callback,
                                          gpointer data)
{
  begin ((Person *) interaction, connection, cancellable, callback, data);
}

static GTlsInteractionResult
patient_person_request_certificate_finish (GTlsInteraction *interaction, GAsyncResult *result, GError **error)
{
  return finish (result, error);
}

static void
patient_person_ask_password_async (GTlsInteraction *interaction,
                                   GTlsPassword *password,
                                   GCancellable *cancellable,
                                   GAsyncReadyCallback callback,
                                   gpointer data)
{
  begin ((Person *) interaction, password, cancellable, callback, data);
}

static GTlsInteractionResult
patient_person_ask_password_finish (GTlsInteraction *interaction, GAsyncResult *result, GError **error)
{
  return finish (result, error);
}

static void
patient_person_class_init (PatientPersonClass *class)
{
  class->parent_class.request_certificate_async = patient_person_request_certificate_async;
  class->parent_class.request_certificate_finish = patient_person_request_certificate_finish;
  class->parent_class.ask_password_async = patient_person_ask_password_async;
  class->parent_class.ask_password_finish = patient_person_ask_password_finish;
}

static void
patient_person_init (PatientPerson *self)
{
}

/* GObject */

static void
person_finalize (GObject *object)
{
  Person *self = (Person *) object;

  g_clear_object (&self->certificate);
  g_clear_object (&self->to_cancel);
  g_clear_error (&self->failure);
  g_free (self->description);
  G_OBJECT_CLASS (person_parent_class)->finalize (object);
}

static void
person_class_init (PersonClass *class)
{
  G_OBJECT_CLASS (class)->finalize = person_finalize;
}

static void
person_init (Person *self)
{
  self->certificate_result = G_TLS_INTERACTION_HANDLED;
  self->password_result = G_TLS_INTERACTION_HANDLED;
}

Person *
person_new (PersonManner manner)
{
  switch (manner)
    {
    case PERSON_BLOCKING:
      return g_object_new (blocking_person_get_type (), NULL);
    case PERSON_PATIENT:
      return g_object_new (patient_person_get_type (), NULL);
    case PERSON_SILENT:
    case PERSON_N_MANNERS:
    default:
      return g_object_new (person_get_type (), NULL);
    }
}
