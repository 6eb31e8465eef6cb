/* Runs each line of standard input as WinRS does: directly, or through cmd.exe /c "LINE". SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdio.h>
#include <string.h>
#include <windows.h>
int main(int argc, char **argv)
{
    static char line[8192], command[8300];
    while (fgets(line, sizeof line, stdin)) {
        STARTUPINFOA startup = {sizeof startup};
        PROCESS_INFORMATION process;
        line[strcspn(line, "\r\n")] = 0;
        snprintf(command, sizeof command, argc > 1 ? "cmd.exe /c \"%s\"" : "%s", line);
        fflush(stdout);
        if (CreateProcessA(NULL, command, NULL, NULL, TRUE, 0, NULL, NULL, &startup, &process)) {
            WaitForSingleObject(process.hProcess, INFINITE);
            CloseHandle(process.hProcess);
            CloseHandle(process.hThread);
        }
        printf("=\n");
    }
    return 0;
}
