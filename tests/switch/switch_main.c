/* The switch as a program of its own, for its tests. */
#include "engine/switch/switch.h"

int main(int argc, char **argv)
{
    return switch_main(argc, argv);
}
