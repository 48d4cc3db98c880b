/* One program: the server, the guest network's switch, and the clients' verbs. */
#include "api/dispatch.h"
#include "cli/cli.h"
#include "engine/switch/switch.h"
#include "server/serve.h"
#include "version.h"

static char *dump(void)
{
    return api_dump(served_dialects);
}

static const struct cli_other others[] = {
    {.name = "serve",
     .summary = "Serve both clouds' APIs and run the machines.",
     .run = serve_main},
    {.name = "switch", .summary = "Carry the guests' network.", .hidden = true, .run = switch_main},
    {.name = NULL},
};

int main(int argc, char **argv)
{
    struct cli_env env = {.version = OSTLER_VERSION, .others = others, .api_dump = dump};

    return cli_main(argc, argv, &env);
}
