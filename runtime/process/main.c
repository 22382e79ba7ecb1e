/* SPDX-License-Identifier: Apache-2.0 */
/* main.c -- the program: its command line is command.c, its long-running process supervisor.c. */
#include "process/command.h"

int main(int argc, char **argv)
{
    return command_main(argc, argv);
}
