/* The control socket's client against a real switch in a process of its own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "engine/switch/control.h"
#include "engine/switch/switch.h"

struct run {
    char dir[64], *port_dir;
    int dir_fd;
    pid_t pid;
};

static pid_t spawn(const char *dir, int ready_fd)
{
    char fd_text[16];
    char *argv[] = {(char *)"switch",
                    (char *)"--dir",
                    (char *)dir,
                    (char *)"--cidr",
                    (char *)"172.16.0.0/24",
                    (char *)"--name",
                    (char *)"vsw-t",
                    (char *)"--ready-fd",
                    fd_text,
                    NULL};
    pid_t pid;

    (void)snprintf(fd_text, sizeof(fd_text), "%d", ready_fd);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
        _exit(switch_main(9, argv));
    return pid;
}

static int start(void **state)
{
    struct run *run = xcalloc(1, sizeof(*run));
    struct pollfd ready;
    char byte;
    int ends[2];

    (void)snprintf(run->dir, sizeof(run->dir), "/tmp/ostler-switch-XXXXXX");
    if (!mkdtemp(run->dir))
        return -1;
    run->port_dir = xasprintf("%s/i-1", run->dir);
    assert_int_equal(mkdir(run->port_dir, 0700), 0);
    run->dir_fd = open(run->dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    assert_true(run->dir_fd >= 0);
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    run->pid = spawn(run->dir, ends[1]);
    (void)close(ends[1]);
    ready = (struct pollfd){.fd = ends[0], .events = POLLIN};
    assert_int_equal(poll(&ready, 1, 10000), 1);
    assert_int_equal(read(ends[0], &byte, 1), 1);
    (void)close(ends[0]);
    *state = run;
    return 0;
}

static int stop(void **state)
{
    struct run *run = *state;
    static const char *const files[] = {"lock", "control.sock", "meta.0.sock", "i-1/sw.sock"};

    if (run->pid > 0) {
        (void)kill(run->pid, SIGKILL);
        (void)waitpid(run->pid, NULL, 0);
    }
    for (size_t i = 0; i < ARRAY_LEN(files); i++)
        (void)unlinkat(run->dir_fd, files[i], 0);
    (void)rmdir(run->port_dir);
    (void)rmdir(run->dir);
    (void)close(run->dir_fd);
    free(run->port_dir);
    free(run);
    return 0;
}

/* Sends the request that `line` holds and reads the answer; the error text of a refusal is the
 * result. */
static int call(const struct run *run, struct buf *line, json_t **ret, struct buf *error)
{
    struct buf text CLEANUP(buf_done) = {0};
    int r = switch_call(run->dir_fd, buf_cstr(line), 10000, &text);

    assert_int_equal(r, 0);
    buf_clear(line);
    return switch_answer_parse(buf_cstr(&text), text.len, ret, error);
}

static json_int_t number(const json_t *answer, const char *name)
{
    return json_integer_value(json_object_get(answer, name));
}

static void ping_names_the_switch(void **state)
{
    struct run *run = *state;
    struct buf line CLEANUP(buf_done) = {0}, error CLEANUP(buf_done) = {0};
    json_t *answer = NULL;
    pid_t pid = 0;

    assert_int_equal(switch_req_ping(&line), 0);
    assert_int_equal(call(run, &line, &answer, &error), 0);
    assert_string_equal(json_string_value(json_object_get(answer, "name")), "vsw-t");
    assert_string_equal(json_string_value(json_object_get(answer, "cidr")), "172.16.0.0/24");
    assert_int_equal(number(answer, "pid"), run->pid);
    assert_int_equal(number(answer, "version"), SWITCH_CONTROL_VERSION);
    json_decref(answer);
    assert_int_equal(switch_is_running(run->dir_fd, &pid), 1);
    assert_int_equal(pid, run->pid);
}

static void ports_come_and_go(void **state)
{
    struct run *run = *state;
    struct switch_port port = {
        .id = "i-1", .dir = run->port_dir, .ip = "172.16.0.10", .mac = "00:16:3e:00:00:01"};
    struct buf line CLEANUP(buf_done) = {0}, error CLEANUP(buf_done) = {0};
    json_t *answer = NULL;
    json_int_t ssh;

    assert_int_equal(switch_req_add_port(&line, &port), 0);
    assert_int_equal(call(run, &line, &answer, &error), 0);
    ssh = number(answer, "ssh_port");
    assert_true(ssh > 0);
    json_decref(answer);
    assert_int_equal(switch_req_add_port(&line, &port), 0);
    assert_int_equal(call(run, &line, &answer, &error), 0);
    assert_int_equal(number(answer, "ssh_port"), ssh);
    json_decref(answer);
    assert_int_equal(switch_req_list(&line), 0);
    assert_int_equal(call(run, &line, &answer, &error), 0);
    assert_int_equal(json_array_size(json_object_get(answer, "ports")), 1);
    json_decref(answer);
    assert_int_equal(switch_req_set_metadata(&line, &port), 0);
    assert_int_equal(call(run, &line, &answer, &error), 0);
    json_decref(answer);
    assert_int_equal(switch_req_remove_port(&line, "i-1"), 0);
    assert_int_equal(call(run, &line, &answer, &error), 0);
    json_decref(answer);
    assert_int_equal(switch_req_remove_port(&line, "i-1"), 0);
    assert_int_equal(call(run, &line, &answer, &error), -EREMOTEIO);
    assert_string_equal(buf_cstr(&error), "not-found: there is no such port");
}

static void nonsense_is_refused_and_the_connection_goes_on(void **state)
{
    static const char *const lines[] = {
        "\n",
        "{\n",
        "[]\n",
        "{\"cmd\":\"fly\"}\n",
        "{\"cmd\":7}\n",
        "{\"cmd\":\"add-port\"}\n",
        "{\"cmd\":\"add-port\",\"id\":\"../x\",\"dir\":\"/"
        "tmp\",\"ip\":\"172.16.0.9\",\"mac\":\"00:16:3e:00:00:09\"}\n",
        "{\"cmd\":\"add-port\",\"id\":\"x\",\"dir\":\"tmp\",\"ip\":\"172.16.0.9\",\"mac\":\"00:16:"
        "3e:00:00:09\"}\n",
        "{\"cmd\":\"add-port\",\"id\":\"x\",\"dir\":\"/"
        "tmp\",\"ip\":\"172.16.0.253\",\"mac\":\"00:16:3e:00:00:09\"}\n",
        "{\"cmd\":\"add-port\",\"id\":\"x\",\"dir\":\"/"
        "tmp\",\"ip\":\"10.0.0.9\",\"mac\":\"00:16:3e:00:00:09\"}\n",
        "{\"cmd\":\"add-port\",\"id\":\"x\",\"dir\":\"/"
        "tmp\",\"ip\":\"172.16.0.9\",\"mac\":\"01:16:3e:00:00:09\"}\n",
        "{\"cmd\":\"add-port\",\"id\":\"x\",\"dir\":\"/"
        "none-x\",\"ip\":\"172.16.0.9\",\"mac\":\"00:16:3e:00:00:09\"}\n",
    };
    struct run *run = *state;

    for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
        struct buf text CLEANUP(buf_done) = {0}, error CLEANUP(buf_done) = {0};
        json_t *answer = NULL;

        assert_int_equal(switch_call(run->dir_fd, lines[i], 10000, &text), 0);
        assert_int_equal(switch_answer_parse(buf_cstr(&text), text.len, &answer, &error),
                         -EREMOTEIO);
        assert_true(error.len > 4);
    }
}

static void a_line_without_end_is_refused(void **state)
{
    struct run *run = *state;
    struct buf line CLEANUP(buf_done) = {0}, text CLEANUP(buf_done) = {0};

    (void)memset(buf_reserve(&line, SWITCH_LINE_MAX), 'x', SWITCH_LINE_MAX);
    line.len = SWITCH_LINE_MAX;
    buf_char(&line, '\0');
    assert_int_equal(switch_call(run->dir_fd, line.data, 10000, &text), 0);
    assert_non_null(strstr(buf_cstr(&text), "too long"));
}

static void quit_ends_it_and_the_lock(void **state)
{
    struct run *run = *state;
    struct buf line CLEANUP(buf_done) = {0}, error CLEANUP(buf_done) = {0};
    json_t *answer = NULL;
    int status;

    assert_int_equal(switch_req_quit(&line), 0);
    assert_int_equal(call(run, &line, &answer, &error), 0);
    json_decref(answer);
    assert_int_equal(waitpid(run->pid, &status, 0), run->pid);
    run->pid = 0;
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), SWITCH_EXIT_OK);
    assert_int_equal(switch_is_running(run->dir_fd, NULL), 0);
    assert_int_equal(switch_req_ping(&line), 0);
    assert_int_equal(switch_call(run->dir_fd, buf_cstr(&line), 1000, &error), -ENOENT);
}

static void a_stopped_switch_times_out(void **state)
{
    struct run *run = *state;
    struct buf line CLEANUP(buf_done) = {0}, text CLEANUP(buf_done) = {0};

    assert_int_equal(kill(run->pid, SIGSTOP), 0);
    assert_int_equal(switch_req_ping(&line), 0);
    assert_int_equal(switch_call(run->dir_fd, buf_cstr(&line), 50, &text), -ETIMEDOUT);
    assert_int_equal(text.len, 0);
}

static void requests_are_bounded_and_answers_checked(void **state)
{
    struct switch_port port = {
        .id = "i-1", .dir = "/x", .ip = "172.16.0.10", .mac = "00:16:3e:00:00:01"};
    struct buf b CLEANUP(buf_done) = {0};
    char *big = xcalloc(1, SWITCH_LINE_MAX);
    json_t *answer = NULL;

    (void)state;
    port.user_data = big;
    port.user_data_len = SWITCH_LINE_MAX;
    assert_int_equal(switch_req_add_port(&b, &port), -E2BIG);
    assert_int_equal(b.len, 0);
    assert_int_equal(switch_answer_parse("{}", 2, &answer, &b), -EPROTO);
    assert_int_equal(switch_answer_parse("", 0, &answer, &b), -EPROTO);
    assert_int_equal(switch_answer_parse("[1]", 3, &answer, &b), -EPROTO);
    assert_int_equal(switch_answer_parse("{\"ok\":1}", 8, &answer, &b), -EPROTO);
    assert_null(answer);
    free(big);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(ping_names_the_switch, start, stop),
        cmocka_unit_test_setup_teardown(ports_come_and_go, start, stop),
        cmocka_unit_test_setup_teardown(nonsense_is_refused_and_the_connection_goes_on, start,
                                        stop),
        cmocka_unit_test_setup_teardown(a_line_without_end_is_refused, start, stop),
        cmocka_unit_test_setup_teardown(quit_ends_it_and_the_lock, start, stop),
        cmocka_unit_test_setup_teardown(a_stopped_switch_times_out, start, stop),
        cmocka_unit_test(requests_are_bounded_and_answers_checked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
