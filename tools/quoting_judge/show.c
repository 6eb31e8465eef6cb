/* Prints its command line's arguments, one per line as JSON strings of bytes in hexadecimal. SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdio.h>
int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        for (unsigned char *c = (unsigned char *)argv[i]; *c; c++)
            printf("%02x", *c);
        printf("\n");
    }
    return 0;
}
