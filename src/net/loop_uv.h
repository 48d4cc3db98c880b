/* For the files of this folder only: the libuv loop inside ours. */
#ifndef OSTLER_NET_LOOP_UV_H
#define OSTLER_NET_LOOP_UV_H

struct loop;
struct uv_loop_s;

struct uv_loop_s *loop_uv(struct loop *loop);

#endif
