/*
 * One table says both: how an instance is shown, and what a filter for that word must find. No
 * instance fits two rows, so a filter finds exactly what is shown under its word.
 */
#include "dialect/zenlayer/status.h"

#define STARTING "STARTING"
#define BOOTING  "BOOTING"

#define S(name) (1u << INST_##name)
#define B(name) (1u << BIRTH_##name)
#define B_ANY   (B(PENDING) | B(DONE) | B(FAILED))

enum recycling { RECYCLING_EITHER, RECYCLING_YES, RECYCLING_NO };

static const struct row {
    const char *word;
    unsigned states, births;  /* sets */
    enum recycling recycling; /* is it on its way into the bin? */
} rows[] = {
    /* Until it first runs a new instance is only ever being deployed: Terraform waits for nothing
       else. */
    {"DEPLOYING", S(PENDING) | S(STARTING), B(PENDING), RECYCLING_EITHER},
    {"CREATE_FAILED", S(PENDING) | S(STOPPED), B(FAILED), RECYCLING_EITHER},
    {STARTING, S(STARTING), B(DONE) | B(FAILED), RECYCLING_EITHER},
    {"RUNNING", S(RUNNING), B_ANY, RECYCLING_EITHER},
    {"STOPPING", S(STOPPING), B_ANY, RECYCLING_EITHER},
    {"STOPPED", S(STOPPED), B(PENDING) | B(DONE), RECYCLING_EITHER},
    {"REBOOT", S(REBOOTING) | S(RESTARTING), B_ANY, RECYCLING_EITHER},
    {"REBUILDING", S(RESETTING), B_ANY, RECYCLING_EITHER},
    {"RECYCLE", S(RECYCLED), B_ANY, RECYCLING_EITHER},
    {"RECYCLING", S(RELEASING), B_ANY, RECYCLING_YES},
    {"RELEASING", S(RELEASING), B_ANY, RECYCLING_NO},
    /* Documented words for what is not done to instances here. */
    {"RESIZING", 0, 0, RECYCLING_EITHER},
    {"IMAGING", 0, 0, RECYCLING_EITHER},
};

const char *const zec_status_words[] = {
    "DEPLOYING", "REBUILDING", BOOTING,         STARTING,  "RUNNING",   "STOPPING",
    "STOPPED",   "REBOOT",     "RESIZING",      "IMAGING", "RELEASING", "RECYCLING",
    "RECYCLE",   "RECYCLED",   "CREATE_FAILED", NULL,
};

static const struct {
    const char *other, *word;
} spellings[] = {
    {BOOTING, STARTING},
    {"RECYCLED", "RECYCLE"},
};

const char *zec_starting_word(const struct settings *s, const char *client)
{
    const char *forced = s->starting_word;

    if (!str_empty(forced))
        return streq(forced, BOOTING) ? BOOTING : STARTING;
    return str_starts(client, "Terraform") || str_starts(client, "zeno") ? BOOTING : STARTING;
}

static bool fits(const struct row *r, const struct inst *in)
{
    if (in->state >= INST_STATE_COUNT || in->birth > BIRTH_FAILED) /* a damaged row */
        return false;
    if (!(r->states & (1u << in->state)) || !(r->births & (1u << in->birth)))
        return false;
    return r->recycling == RECYCLING_EITHER ||
           (r->recycling == RECYCLING_YES) == (in->verb == VERB_RECYCLE);
}

const char *zec_status(const struct inst *in, const char *starting)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (fits(&rows[i], in))
            return streq(rows[i].word, STARTING) ? starting : rows[i].word;
    return "DEPLOYING"; /* whole, but never yet started: between two jobs of its birth */
}

static const struct row *row_of(const char *word)
{
    for (size_t i = 0; i < ARRAY_LEN(spellings); i++)
        if (streq(word, spellings[i].other))
            word = spellings[i].word;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (streq(word, rows[i].word))
            return &rows[i];
    return NULL;
}

void zec_status_filter(struct query *q, const char *word)
{
    const struct row *r = row_of(word);

    query_set(q, "state", r ? r->states : 0);
    query_set(q, "birth", r ? r->births : 0);
    if (r && r->recycling != RECYCLING_EITHER)
        query_num(q, "verb", r->recycling == RECYCLING_YES ? CMP_EQ : CMP_NE, VERB_RECYCLE);
}
